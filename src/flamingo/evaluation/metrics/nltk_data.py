"""nltk and its data, which are optional: loaded when first asked for, and missed with advice.

nltk and the package inflection come with the extra `eval`. WordNet and the tagger's data do not.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from flamingo.foundation.errors import ConfigError

Tagged = list[tuple[str, str]]
"""Words with their parts of speech, in the tags of the Penn Treebank."""


def optional_module(name: str, what: str) -> Any:
    """A module of the extra `eval`.

    Args:
        name: of the module.
        what: what it is needed for, as the subject of a sentence: "WordNet".

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise ConfigError(
            f"{what} needs the package {package}, which is not installed.\n"
            'Install it with `pip install "flamingo-vlm[eval]"`.'
        ) from error


@lru_cache(maxsize=1)
def wordnet() -> Any:
    """WordNet, as a corpus of nltk.

    Raises:
        ConfigError: nltk or WordNet is missing.
    """
    corpus = optional_module("nltk.corpus", "WordNet").wordnet
    try:
        corpus.ensure_loaded()
    except LookupError as error:
        raise ConfigError(
            "nltk finds no WordNet.\nGet it with `python -m nltk.downloader wordnet`; without a "
            "network, put the files of WordNet 3.0 (Debian's packages wordnet-base and "
            "wordnet-sense-index) and `lexnames` into corpora/wordnet of a folder that the "
            "variable NLTK_DATA names."
        ) from error
    return corpus


@lru_cache(maxsize=1)
def tagger() -> Callable[[Sequence[str]], Tagged]:
    """The tagger of parts of speech that comes with nltk.

    Raises:
        ConfigError: nltk or the tagger's data is missing.
    """
    pos_tag: Callable[[Sequence[str]], Tagged]
    pos_tag = optional_module("nltk", "the tagger of parts of speech").pos_tag
    try:
        pos_tag(["word"])
    except LookupError as error:
        raise ConfigError(
            "nltk finds no data of its tagger.\nGet it with "
            "`python -m nltk.downloader averaged_perceptron_tagger_eng`."
        ) from error
    return pos_tag


@lru_cache(maxsize=1)
def lemmatizer() -> Callable[[str, str], str]:
    """What gives the lemma of a word and its part of speech: "n", "v", "a" or "r".

    Raises:
        ConfigError: nltk or WordNet is missing.
    """
    wordnet()
    lemmatize: Callable[[str, str], str]
    lemmatize = optional_module("nltk.stem", "lemmas").WordNetLemmatizer().lemmatize
    return lemmatize


@lru_cache(maxsize=1)
def tokenizer() -> Callable[[str], list[str]]:
    """How nltk splits one sentence into words; needs no data.

    Raises:
        ConfigError: nltk is missing.
    """
    tokenize: Callable[[str], list[str]]
    tokenize = optional_module("nltk.tokenize", "splitting into words").NLTKWordTokenizer().tokenize
    return tokenize


@lru_cache(maxsize=1)
def porter_stem() -> Callable[[str], str]:
    """Porter's stemmer, as nltk has it; needs no data.

    Raises:
        ConfigError: nltk is missing.
    """
    stem: Callable[[str], str] = optional_module("nltk.stem", "stemming").PorterStemmer().stem
    return stem
