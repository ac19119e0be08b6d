"""The forms in which a document gives its answers, constant within one document."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
    """A form made of arbitrary words, so that no form is a surprise.

    None of them names an attribute: together with others they could name a held-out pair.
    """
    chosen = rng.integers(len(GLUE_WORDS), size=rng.integers(1, 5))
    before = " ".join(GLUE_WORDS[i] for i in chosen)
    return Format(before + _one_of(rng, ("", ":", " :", "?", " =", ",")), _one_of(rng, ENDINGS))


def choose_format(
    rng: np.random.Generator, known: tuple[Format, ...], *, random_share: float = 0.25
) -> Format:
    """One of the known forms or, with probability `random_share`, an arbitrary one."""
    if rng.random() < random_share:
        return random_format(rng)
    return known[rng.integers(len(known))]


ENDINGS = ("", "", "", ".", "!", " .")


def _one_of(rng: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[rng.integers(len(options))]
