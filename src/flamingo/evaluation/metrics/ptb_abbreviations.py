"""Words that keep their period, as measured on the tokenizer of Stanford CoreNLP 3.4.1."""

from __future__ import annotations

_ABBREVIATIONS = """
a.k.a adm al ala alex apr ariz assn atty attys aug ave bancorp bhd bldg blvd brig bros calif capt
cf cie cmdr co col colo comdr conn corp cos cpl ct dak dec dept det dr drs ed.d elec ens esq est
etc ext feb fla fri ft ga gen gov govs hon inc ind intl invt jan jos jr jul jun kan kans ky lieut
lt ltd maj mar md messrs mfg mich minn mlle mme mo mon mont mr mrs ms mt mtg natl neb nev nov oct
okla penn pfc ph ph.d plc pres prof profs pte ptes ptys pvt rd rep reps rev rt sen sens sep sept
seq sgt spc sq sr st ste supt supts sys tel tenn thu thurs treas tue tues univ va vs vt wed wis
wisc wm wyo
"""
_SENTENCE_STARTS = """
A About According After An As At But Earlier He Her Here However If In It Last Many More Now Once
One Other Our She Since So Some Such That The Their Then There These They This We What When While
Yet You
"""

ABBREVIATIONS = _ABBREVIATIONS.split()
"""In any case of letters."""

CAPITALIZED_ABBREVIATIONS = [
    "Ark",
    "Az",
    "Del",
    "Ill",
    "La",
    "Mass",
    "Miss",
    "Ore",
    "Pa",
    "Tex",
    "Wash",
]
"""Only with a capital: they are words as well."""

NUMBER_ABBREVIATIONS = ["art", "ca", "fig", "no", "nos", "op", "pp", "prop"]
"""Only before a number, in any case of letters."""

SENTENCE_STARTS = _SENTENCE_STARTS.split()
"""A single letter before one of them ends a sentence, and loses its period: "vitamin C. The"."""
