"""How one example is written as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from string import Formatter
from typing import Any

from flamingo.foundation.errors import ConfigError, nearest

_IMAGE = "<image>"
_END = "<EOC>"
"""How the place of the visuals and the end of a turn are written in patterns."""


@dataclass(frozen=True)
class Template:
    """The text of one example: what is asked, then the answer.

    Args:
        prefix: what comes before the answer, with `{fields}`, without a space at its end: the
            answer brings its own, so that the model continues at a word's beginning. An `<EOC>`
            in it ends a chunk, as between the turns of two speakers.
        answer: name of the field that holds the answer.
        before: what comes before the example's visuals, with `{fields}`.
        separator: what stands between prefix and answer; nothing does if the prefix is empty.
        instruction: begins the prompt, once.
        ends_bare: whether nothing stands behind the end of an example, also where the model's
            markup has something there.

    Raises:
        ConfigError: the prefix ends in a space, is malformed, or names the answer's field.

    Paper: Sec. 3, App. A.2.
    """

    prefix: str
    answer: str = "output"
    before: str = ""
    separator: str = " "
    instruction: str = ""
    ends_bare: bool = False

    def __post_init__(self) -> None:
        if self.prefix != self.prefix.rstrip():
            raise ConfigError(
                f"the template {self.prefix!r} ends in a space.\n"
                "The answer brings its own space. Remove the one in the template."
            )
        if self.answer in self.fields:
            raise ConfigError(
                f"the template {self.before + self.prefix!r} names the answer's field "
                f"{{{self.answer}}}.\nThe answer always comes last. Leave its field out of the "
                "prefix."
            )

    @classmethod
    def parse(cls, pattern: str, *, instruction: str = "", ends_bare: bool = False) -> Template:
        """A template from one string that ends in the answer's field, "Name: {name}".

        Args:
            pattern: the string. What stands before an `<image>` in it comes before the visuals,
                and an `<EOC>` ends a turn.
            instruction: begins the prompt, once.
            ends_bare: see `Template`.

        Raises:
            ConfigError: the string does not end in a field, or has several places for visuals.
        """
        pieces = list(_parsed(pattern))
        if not pieces or not pieces[-1][1]:
            raise ConfigError(
                f"the template {pattern!r} does not end in a field.\n"
                'Its last field is the answer, as in "Output: {output}".'
            )
        if pattern.count(_IMAGE) > 1:
            raise ConfigError(
                f"the template {pattern!r} has {pattern.count(_IMAGE)} {_IMAGE} tags.\n"
                "All visuals of an example stand in one place. Leave one tag, or none if they "
                "come first."
            )
        answer = pieces[-1][1]
        before, _, text = pattern.removesuffix(f"{{{answer}}}").rpartition(_IMAGE)
        prefix = text.rstrip()
        separator = text[len(prefix) :] if prefix else " "
        return cls(prefix, answer, before, separator, instruction, ends_bare)

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The fields that a query needs; a support needs the answer as well."""
        parsed = _parsed(self.before) + _parsed(self.prefix)
        return tuple(dict.fromkeys(name for _, name in parsed if name))

    def support(self, **fields: str) -> str:
        """The text of an annotated example behind its visuals.

        Raises:
            ConfigError: a field is missing.
        """
        answer = self.annotation(**fields)
        return self.query(**fields) + answer

    def annotation(self, **fields: str) -> str:
        """The answer of an annotated example, as it follows its query.

        Raises:
            ConfigError: a field is missing.
        """
        self._check(fields, (*self.fields, self.answer))
        return self.continuation(fields[self.answer])

    def query(self, **fields: str) -> str:
        """The text of an example whose answer is to be found; what is not needed is left out.

        Raises:
            ConfigError: a field is missing.
        """
        return "".join(self.turns(**fields))

    def turns(self, **fields: str) -> list[str]:
        """What `query` gives, cut where a chunk ends.

        Raises:
            ConfigError: a field is missing.
        """
        # Cut before the fields are filled in: an end in a value is none.
        return [self._filled(turn, fields) for turn in self.prefix.split(_END)]

    def before_visuals(self, **fields: str) -> str:
        """The text before the visuals of an example.

        Raises:
            ConfigError: a field is missing.
        """
        return self._filled(self.before, fields)

    def continuation(self, answer: str) -> str:
        """The answer as it follows a query: with the space that belongs to it."""
        return f"{self.separator}{answer}" if self.prefix else answer

    def _filled(self, text: str, fields: Mapping[str, str]) -> str:
        self._check(fields, self.fields)
        return text.format(**{name: fields[name] for name in self.fields})

    def _check(self, fields: Mapping[str, str], needed: tuple[str, ...]) -> None:
        missing = [name for name in needed if name not in fields]
        if missing:
            raise ConfigError(
                f"the template {self.before + self.prefix!r} needs the field {missing[0]!r}, "
                f"which is missing.\n"
                f"Needed: {', '.join(needed)}. Given: {', '.join(fields) or '(none)'}."
            )


def template_named(name: str) -> Template:
    """The paper's template of this name.

    Raises:
        ConfigError: there is none of this name.
    """
    if name not in TEMPLATES:
        raise ConfigError(f"there is no template named {name!r}.\n{nearest(name, TEMPLATES)}")
    return TEMPLATES[name]


def _parsed(pattern: str) -> list[tuple[str, str]]:
    try:
        parsed: list[Any] = list(Formatter().parse(pattern))
    except ValueError as error:
        raise ConfigError(
            f"the template {pattern!r} cannot be read: {error}.\n"
            "Fields are names in braces, as in {question}; write {{ for a brace itself."
        ) from error
    for _, name, spec, conversion in parsed:
        if name is not None and (not name.isidentifier() or spec or conversion):
            raise ConfigError(
                f"the template {pattern!r} has a field that is not a plain name: {name!r}.\n"
                "Fields are names in braces, as in {question}."
            )
    return [(text, name or "") for text, name, _, _ in parsed]


CAPTION = Template("Output:", "output")
QUESTION_ANSWER = Template("Question: {question} Answer:", "answer")
HATEFUL_MEMES = Template(
    'is an image with written: "{meme_text}" on it. Is it hateful? Answer:', "answer"
)
RARE_ACT = Template("Caption: a person", "action")

TEMPLATES: Mapping[str, Template] = {
    "caption": CAPTION,
    "question-answer": QUESTION_ANSWER,
    "hateful-memes": HATEFUL_MEMES,
    "rare-act": RARE_ACT,
}
