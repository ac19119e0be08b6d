"""What a user asks, in the types that prompting needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flamingo.data.files import load_visual
from flamingo.foundation.errors import SequenceError
from flamingo.inference.support_cache import SupportCache
from flamingo.prompting import (
    TEMPLATES,
    Example,
    Template,
    query_prompt,
    support_prompt,
)
from flamingo.sequence import Interleaved, Visual

Support = Example | tuple[Any, ...]
"""An `Example`, or (visual, answer), or (visual, question, answer)."""


@dataclass(frozen=True)
class Request:
    """One query with its support set.

    Attributes:
        query: what the answer is wanted for.
        supports: annotated examples, in the order of the prompt; for the zero-shot prompt without
            their visuals.
        template: how an example is written.
        choices: candidate answers; empty for an open-ended answer.
        after: supports that were read before, instead of `supports`.
    """

    query: Example
    supports: tuple[Example, ...]
    template: Template
    choices: tuple[str, ...] = ()
    after: SupportCache | None = None

    @classmethod
    def of(
        cls,
        query: Any,
        *,
        supports: Sequence[Support] | SupportCache = (),
        question: str | None = None,
        template: Template | None = None,
        choices: Sequence[str] = (),
        text_examples: Sequence[Mapping[str, str]] = (),
        load: Callable[[Any], Visual] = load_visual,
        templates: Mapping[str, Template] = TEMPLATES,
    ) -> Request:
        """Builds a request from files, pictures and strings.

        Args:
            query: an `Example`, or whatever `load_visual` takes.
            supports: see `Support`, or what `Predictor.read` made of them. A question given once
                goes for all of them.
            question: asked of the query.
            template: by default that in which supports were read; else that of `templates` for a
                question if there is one, and for a caption if not.
            choices: candidate answers.
            text_examples: fields of examples without visuals, for the zero-shot prompt.
            load: reads what is to be seen; a model's own is `FlamingoImageProcessor.load`.
            templates: by name; the paper's if not a model's own, see `own_templates`.

        Raises:
            SequenceError: both supports and text examples are given, or choices repeat.
            MediaError: a visual cannot be read.
        """
        after = supports if isinstance(supports, SupportCache) else None
        if after is None:
            examples, written = examples_of(
                () if isinstance(supports, SupportCache) else supports,
                question=question,
                template=template,
                text_examples=text_examples,
                asks_by_fields=isinstance(query, Example),
                load=load,
                templates=templates,
            )
        elif text_examples:
            raise _both("A support set that was read", len(text_examples))
        else:
            examples, written = (), template or after.template
        if question is not None and "question" not in written.fields:
            raise SequenceError(
                f"The question {question!r} has no place in the template {written.prefix!r}, "
                "in which the supports are written.\n"
                "Leave it out, or take a template with {question} for supports and query alike."
            )
        if len(set(choices)) < len(choices):
            raise SequenceError(f"A choice is given twice: {', '.join(choices)}.")
        if not isinstance(query, Example):
            shared = {} if question is None else {"question": question}
            query = Example((load(query),), shared)
        return cls(query, examples, written, tuple(choices), after)

    def prompt(self) -> Interleaved:
        """The document that the model continues; without supports that were read before."""
        return self.support_prompt() + self.query_prompt()

    def support_prompt(self) -> Interleaved:
        """The part that all queries with these supports have in common."""
        return support_prompt(self.supports, self.template)

    def query_prompt(self) -> Interleaved:
        """The part behind the supports."""
        return query_prompt(self.query, self.template)


def examples_of(
    supports: Sequence[Support],
    *,
    question: str | None = None,
    template: Template | None = None,
    text_examples: Sequence[Mapping[str, str]] = (),
    asks_by_fields: bool = False,
    load: Callable[[Any], Visual] = load_visual,
    templates: Mapping[str, Template] = TEMPLATES,
) -> tuple[tuple[Example, ...], Template]:
    """The examples of a prompt, and how they are written.

    Args:
        supports: annotated examples.
        question: of all that have none of their own.
        template: how they are written, if not by one of `templates`.
        text_examples: fields of examples without visuals, instead of supports.
        asks_by_fields: whether queries bring their questions themselves.
        load: reads what is to be seen.
        templates: by name; the paper's if not a model's own.

    Raises:
        SequenceError: both supports and text examples are given, or the query lacks a question.
        MediaError: a visual cannot be read.
    """
    if isinstance(supports, str | Path) or not isinstance(supports, Sequence):
        raise SequenceError(
            f"supports is {supports!r}, but must be a list of supports: (visual, answer) or "
            "(visual, question, answer), or what Predictor.read returned."
        )
    if supports and text_examples:
        raise _both(f"{len(supports)} supports", len(text_examples))
    for one in supports:
        if not isinstance(one, Example):
            _check_parts(one)
    with_question = [s for s in supports if not isinstance(s, Example) and len(s) == 3]
    if with_question and question is None and not asks_by_fields:
        raise SequenceError(
            f"{len(with_question)} supports carry a question, but the query has none.\n"
            "Give question=... for the query, or supports of (visual, answer)."
        )
    has_question = question is not None or bool(with_question)
    template = template or templates["question-answer" if has_question else "caption"]
    shared = {} if question is None else {"question": question}
    shots = tuple(_example(support, shared, template, load) for support in supports)
    texts = tuple(Example((), {**shared, **fields}) for fields in text_examples)
    return texts or shots, template


def _check_parts(support: Any) -> None:
    if not isinstance(support, tuple | list):
        raise SequenceError(
            f"A support is (visual, answer) or (visual, question, answer), but one is {support!r}."
        )
    if len(support) not in (2, 3):
        raise SequenceError(
            f"A support is (visual, answer) or (visual, question, answer), but one has "
            f"{len(support)} parts: {support!r}."
        )


def _both(supports: str, num_texts: int) -> SequenceError:
    return SequenceError(
        f"{supports} and {num_texts} text examples were given. "
        "Text examples stand in for supports in a zero-shot prompt; give one or the other."
    )


def _example(
    support: Support,
    shared: Mapping[str, str],
    template: Template,
    load: Callable[[Any], Visual],
) -> Example:
    if isinstance(support, Example):
        return support
    fields = dict(shared)
    if len(support) == 3:
        fields["question"] = support[1]
    fields[template.answer] = support[-1]
    return Example((load(support[0]),), fields)
