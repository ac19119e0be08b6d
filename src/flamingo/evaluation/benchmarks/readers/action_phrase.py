"""An action as the paper's prompt says it: the verb in the third person, the noun with article."""

from __future__ import annotations

_MASS = frozenset({"bacon", "chocolate", "corn", "hair"})
"""Nouns that name a stuff and not a thing; these are the ones found in RareAct."""
_CORRECTED = {"clothe": "clothes"}
"""RareAct's nouns were cut to a base form, which this one does not have."""
_SIBILANTS = ("s", "x", "z", "ch", "sh")


def action_phrase(verb: str, noun: str) -> str:
    """A verb and a noun of RareAct as what "a person …" does: "blends a phone".

    The paper gives only the rule, so its very words may be others.

    Paper: App. B.1.
    """
    return f"{third_person(verb)} {with_article(_CORRECTED.get(noun, noun))}"


def third_person(verb: str) -> str:
    """A regular English verb as it is said of one person: wash, washes; fry, fries."""
    if verb.endswith("y") and verb[-2:-1] not in tuple("aeiou"):
        return f"{verb[:-1]}ies"
    return f"{verb}es" if verb.endswith((*_SIBILANTS, "o")) else f"{verb}s"


def with_article(noun: str) -> str:
    """A noun with "a" or "an" by its first letter; plurals and stuffs have none.

    A noun is taken for a plural if it ends in a single "s".
    """
    is_plural = noun.endswith("s") and not noun.endswith("ss")
    if is_plural or noun in _MASS:
        return noun
    return f"{'an' if noun[:1] in tuple('aeiou') else 'a'} {noun}"
