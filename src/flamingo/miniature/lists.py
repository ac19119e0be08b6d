"""Text without looks that teaches to find what was said before: repeated lists, glossaries.

Small language models stay long at "some name that was said"; few such documents, in which
nearly every word is to be found further up, get them to "the name that was said of this".
"""

from __future__ import annotations

import numpy as np

from flamingo.miniature.looks import choose_pairs
from flamingo.miniature.names import TRAIN_NAMES
from flamingo.miniature.vocabulary import (
    COLOR_WORDS,
    GLUE_WORDS,
    NUMBER_WORDS,
    SHAPE_WORDS,
    SIZE_WORDS,
)

_KEYS = (*COLOR_WORDS, *SHAPE_WORDS, *SIZE_WORDS, *NUMBER_WORDS)
_AFTER_KEY = (": ", " is ", " = ", " ", " Output: ", "\nOutput: ", "\n")
_AFTER_NAME = ("\n", "\n", " . ", "; ", ", ")

Spans = tuple[tuple[int, int], ...]

# Colors or shapes, not both: side by side they could name a held-out pair.
_CATEGORIES = (SIZE_WORDS, NUMBER_WORDS, GLUE_WORDS, TRAIN_NAMES)
_BETWEEN = (" ", " ", ", ", " / ", " | ")


def repeated_list(rng: np.random.Generator, num_turns: int) -> tuple[str, Spans]:
    """Some words, over and over, and the characters that cannot be foretold: the first time."""
    # Color and shape words stay out: side by side they could name a held-out pair.
    pool = TRAIN_NAMES if rng.random() < 0.5 else GLUE_WORDS
    words = [pool[i] for i in rng.integers(len(pool), size=rng.integers(3, 9))]
    once = " ".join(words)
    num_times = -(-3 * num_turns // len(words))
    return " ".join([once] * num_times), ((0, len(once)),)


def pick(rng: np.random.Generator, num_turns: int) -> tuple[str, Spans]:
    """Rows of words of which one is said again, in every row the one of the same kind.

    In half of the lists the words of a row change their places, so that their kind tells which.
    The second value tells where the rows stand.
    """
    num_columns = int(rng.integers(2, 6))
    kinds = (*_CATEGORIES, COLOR_WORDS if rng.random() < 0.5 else SHAPE_WORDS)
    columns = [kinds[i] for i in rng.permutation(len(kinds))[:num_columns]]
    is_mixed, said = rng.random() < 0.5, int(rng.integers(num_columns))
    between = _BETWEEN[rng.integers(len(_BETWEEN))]
    after_key = _AFTER_KEY[rng.integers(len(_AFTER_KEY))]
    after_name = _AFTER_NAME[rng.integers(len(_AFTER_NAME))]
    text, spans = "", []
    for _ in range(num_turns):
        words = [column[rng.integers(len(column))] for column in columns]
        order = rng.permutation(num_columns) if is_mixed else range(num_columns)
        start = len(text)
        text += between.join(words[i] for i in order) + after_key
        spans.append((start, len(text)))
        text += words[said] + after_name
    return text, tuple(spans)


def glossary(rng: np.random.Generator, num_turns: int) -> tuple[str, Spans]:
    """Names for words or for pairs of color and shape, in random order: "red circle: daku".

    The second value tells where the words stand: which of them comes next is chance.
    """
    num_keys = int(rng.integers(2, 6))
    if rng.random() < 0.5:
        keys = [_KEYS[i] for i in rng.permutation(len(_KEYS))[:num_keys]]
    else:
        keys = [" ".join(pair) for pair in choose_pairs(rng, num_keys)]
    names = [TRAIN_NAMES[i] for i in rng.choice(len(TRAIN_NAMES), size=num_keys, replace=False)]
    after_key = _AFTER_KEY[rng.integers(len(_AFTER_KEY))]
    after_name = _AFTER_NAME[rng.integers(len(_AFTER_NAME))]
    text, spans = "", []
    for k in rng.integers(num_keys, size=2 * num_turns):
        start = len(text)
        text += keys[k] + after_key
        spans.append((start, len(text)))
        text += names[k] + after_name
    return text, tuple(spans)
