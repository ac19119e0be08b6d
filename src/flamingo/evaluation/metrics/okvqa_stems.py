"""Words as OK-VQA stems its answers: "riding horses" becomes "ride horse".

The file of OK-VQA has stemmed answers, so a prediction is stemmed before it is compared. How they
were stemmed is not published; the Flamingo team found rules that come near, and OpenFlamingo
published them: a list of exceptions, WordNet's verb of a word in "-ing", and the singular of a
noun that a tagger says is a plural.
"""

from __future__ import annotations

import re

from flamingo.evaluation.metrics.nltk_data import lemmatizer, optional_module, tagger, tokenizer
from flamingo.evaluation.metrics.okvqa_exceptions import EXCEPTIONS

_UNCHANGED = re.compile("equipment|fish|information|jeans|money|news|rice|series|sheep|species")
_IRREGULAR = {"people": "person", "children": "child"}
_SINGULARS = [
    (re.compile(ending), singular)
    for ending, singular in [
        (r"men$", "man"),
        (r"quizzes$", "quiz"),
        (r"([ml])ice$", r"\1ouse"),
        (r"(alias|status|bus|octopus|virus|axis)(es)?$", r"\1"),
        (r"(shoe|movie|move|tive|hive)s$", r"\1"),
        (r"(x|ch|ss|sh|o)es$", r"\1"),
        (r"([^aeiouy]|qu)ies$", r"\1y"),
        (r"([lr])ves$", r"\1f"),
        (r"([^f])ves$", r"\1fe"),
        (r"ss$", "ss"),
        (r"s$", ""),
    ]
]
_NO_VERB = re.compile("(any|every|no|some)?thing|during|ceiling|offspring|lightning|viking|evening")
_NO_PLURAL = re.compile(r"(ss|us|is|as|'s|lens|yes|does|always|perhaps|besides)$")


def rule_stem(text: str) -> str:
    """Stems by rules of our own that need no data.

    The exceptions and the singulars are those of `nltk_stem`. But every word in "-s" that may be
    a plural is taken for one, also a verb, and words in "-ing" lose it by rules of spelling, which
    err for some 3 % of them. So scores are not comparable to the last digit with others.
    """
    return " ".join(map(_rule_stem_word, re.findall(r"[\w'\-]+|[^\w\s]", text)))


def nltk_stem(text: str) -> str:
    """Stems by the published rules, with nltk's tagger and WordNet and the package inflection.

    The text is split as one sentence.

    Raises:
        ConfigError: nltk, its data or inflection is missing.
    """
    singularize = optional_module("inflection", "the singular of plurals").singularize
    lemmatize, stems = lemmatizer(), []
    for word, tag in tagger()(tokenizer()(text)):
        if word in EXCEPTIONS:
            word = EXCEPTIONS[word]
        elif word.endswith("ing"):
            word = lemmatize(word, "v")
        elif tag.startswith(("NNS", "NNPS")):
            word = singularize(word)
        stems.append(word)
    return " ".join(stems)


def singular(word: str) -> str:
    """The singular of a plural, with the oddities of the package inflection: "cookies", "cooky"."""
    if word in _IRREGULAR or _UNCHANGED.fullmatch(word):
        return _IRREGULAR.get(word, word)
    for ending, replacement in _SINGULARS:
        found, count = ending.subn(replacement, word)
        if count:
            return found
    return word


def verb(word: str) -> str:
    """The verb of a word in "-ing", by spelling: "running" is of "run", "baking" of "bake"."""
    stem = word.removesuffix("ing")
    if len(stem) < 2 or not re.search("[aeiouy]", stem) or _NO_VERB.fullmatch(word):
        return word
    if re.fullmatch("[dltv]y", stem):
        return stem[:-1] + "ie"
    if re.search(r"([bdgmnprt])\1$", stem):
        return stem[:-1]
    is_short = re.fullmatch(r"[^aeiou]*(qu)?[aeiouy][^aeiouwxy]", stem)
    ends_in_e = re.search(
        r"([^aeiou]at|i[sz]|[^s]s|[cvu]|dg|[aeiourn]g|[^aeioulrw]l|i[dr]|(?<!o)ur)$", stem
    )
    keeps = re.search(r"([ou]ng|[ai]ng|[lr]s|ou|ss)$", stem)
    return stem + "e" if is_short or (ends_in_e and not keeps) else stem


def _rule_stem_word(word: str) -> str:
    if word in EXCEPTIONS:
        return EXCEPTIONS[word]
    if word.endswith("ing"):
        return verb(word)
    is_plural = word.endswith("s") and len(word) > 3 and not _NO_PLURAL.search(word)
    if is_plural or word in _IRREGULAR or re.search(r"(^|wo)men$|^mice$", word):
        return singular(word)
    return word
