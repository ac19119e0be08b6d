"""The forms in which a document gives its answers, constant within one document."""

from __future__ import annotations

import string
from dataclasses import dataclass

import numpy as np

from flamingo.miniature.names import TRAIN_NAMES
from flamingo.miniature.vocabulary import GLUE_WORDS


@dataclass(frozen=True)
class Format:
    """What stands before and after each answer.

    Example:
        >>> Format("this is a", ".").write("daku")
        'this is a daku.'
    """

    before: str = ""
    after: str = ""

    def write(self, answer: str) -> str:
        """The answer in this form; the space before it belongs to the answer."""
        return f"{self.before} {answer}{self.after}" if self.before else f"{answer}{self.after}"


NAMING = (
    Format("Output:"),
    Format("Output:", "."),
    Format("Question: what is this? Answer:"),
    Format("Question: what is this? Answer:", "."),
    Format("Question: what is it? Answer:"),
    Format("what is this?"),
    Format("Answer:"),
    Format("this is a"),
    Format("this is a", "."),
    Format("This is a", "."),
    Format("this is"),
    Format("it is a"),
    Format("name:"),
    Format("the name is", "."),
    Format("label:"),
    Format("Label:"),
    Format("Name:"),
    Format("a"),
    Format(),
    Format("", "."),
)
"""Forms that ask for a name or a single word."""

CAPTIONING = (
    Format("Output:"),
    Format("Output:"),
    Format("Output:", "."),
    Format("Caption:"),
    Format("Caption:", "."),
    Format("caption:"),
    Format("Question: what is in the picture? Answer:"),
    Format(),
    Format("", "."),
)
"""Common forms of captions."""

PECULIAR = (
    Format("a picture of", "."),
    Format("", "!"),
    Format("look:"),
    Format("Look:", "!"),
    Format("here is", "."),
    Format("(", ")"),
    Format("what is it? it is", "!"),
    Format("this picture:", " ."),
    Format("-"),
    Format("1."),
    Format("yes,", "."),
)
"""Forms that no one would guess without an example."""


HELD_OUT = (
    Format("see:", "!"),
    Format("[", "]"),
    Format("look at the", "."),
    Format("my picture of a"),
    Format("2.", ";"),
)
"""Forms that no training text has."""


def random_format(rng: np.random.Generator) -> Format:
    """A form made of arbitrary words, names and signs, so that no form is a surprise.

    None of them names an attribute: together with others they could name a held-out pair. The
    forms of `HELD_OUT` never come.
    """
    while True:
        before = " ".join(_any_word(rng) for _ in range(rng.integers(1, 5)))
        after = _one_of(rng, ENDINGS) if rng.random() < 0.8 else _one_of(rng, tuple(_SIGNS))
        form = Format(before + _one_of(rng, ("", ":", " :", "?", " =", ",", ".")), after)
        if form not in HELD_OUT:
            return form


def _any_word(rng: np.random.Generator) -> str:
    draw = rng.random()
    if draw < 0.6:
        return _one_of(rng, GLUE_WORDS)
    if draw < 0.8:
        return _one_of(rng, TRAIN_NAMES)
    characters = _SIGNS if draw < 0.9 else string.ascii_lowercase + string.digits
    return "".join(_one_of(rng, tuple(characters)) for _ in range(rng.integers(1, 4)))


def choose_format(
    rng: np.random.Generator, known: tuple[Format, ...], *, random_share: float = 0.25
) -> Format:
    """One of the known forms or, with probability `random_share`, an arbitrary one."""
    if rng.random() < random_share:
        return random_format(rng)
    return known[rng.integers(len(known))]


_SIGNS = "!#$%&()*+,-./:;=?@[]^_{|}~"
ENDINGS = ("", "", "", ".", "!", " .")


def _one_of(rng: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[rng.integers(len(options))]
