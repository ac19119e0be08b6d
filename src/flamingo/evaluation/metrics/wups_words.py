"""The words of an answer that WUPS compares: base forms, without those that say little."""

from __future__ import annotations

from flamingo.evaluation.metrics.nltk_data import (
    lemmatizer,
    porter_stem,
    tagger,
    tokenizer,
    wordnet,
)

_LITTLE_WORDS = """
a about after again all am an and any are as at be because been before being both but by can
could d did do does doing down each few for from further had has have having he her here hers
herself him himself his how i if in into is it its itself just ll m may me might more most must
my myself of off on once only or other our ours ourselves out over own re s same shall she
should so some such t than that the their theirs them themselves then there these they this
those through to too under until up ve very was we were what when where which while who whom
why will with would you your yours yourself yourselves
"""
LITTLE_WORDS = frozenset(_LITTLE_WORDS.split())
"""A list of our own. "no" and "not" are not on it: they are answers."""

_PARTS_OF_SPEECH = {"NN": "n", "JJ": "a", "VB": "v", "RB": "r"}


def tagged_words(text: str) -> list[str]:
    """Base forms by the part of speech that nltk's tagger finds, as the official code has them.

    A word that WordNet does not know in its base form is replaced by its Porter stem if WordNet
    knows that, and else stays.

    Raises:
        ConfigError: nltk, WordNet or the tagger's data is missing.
    """
    tagged = tagger()(tokenizer()(text))
    return _that_count([_lemma(word.lower(), _part(word, tag)) for word, tag in tagged])


def morphy_words(text: str) -> list[str]:
    """Base forms by WordNet alone: as a noun if it is one, else as a verb, and so on.

    The text is split at spaces, which is enough for NExT-QA: its texts have no punctuation.

    Raises:
        ConfigError: nltk or WordNet is missing.
    """
    return _that_count([wordnet().morphy(word) or word for word in text.lower().split()])


def _that_count(words: list[str]) -> list[str]:
    return [word for word in words if word not in LITTLE_WORDS]


def _part(word: str, tag: str) -> str:
    """The part of speech in the sentence; if WordNet has no such, that of the word alone."""
    known = _PARTS_OF_SPEECH.get(tag[:2])
    return known or _PARTS_OF_SPEECH.get(tagger()([word.lower()])[0][1][:2], "n")


def _lemma(word: str, part: str) -> str:
    lemma = lemmatizer()(word, part)
    if wordnet().synsets(lemma):
        return lemma
    stem = porter_stem()(word)
    return stem if wordnet().synsets(stem) else word
