"""What a user asks, in the types that prompting needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flamingo.data.files import load_visual
from flamingo.foundation.errors import SequenceError
from flamingo.prompting import (
    CAPTION,
    QUESTION_ANSWER,
    Example,
    Template,
    few_shot_prompt,
    zero_shot_prompt,
)
from flamingo.sequence import Interleaved

Support = Example | tuple[Any, ...]
"""An `Example`, or (visual, answer), or (visual, question, answer)."""


@dataclass(frozen=True)
class Request:
    """One query with its support set.

    Attributes:
        query: what the answer is wanted for.
        supports: annotated examples, in the order of the prompt.
        template: how an example is written.
        choices: candidate answers; empty for an open-ended answer.
        is_zero_shot: whether the supports go in as text, without their visuals.
    """

    query: Example
    supports: tuple[Example, ...]
    template: Template
    choices: tuple[str, ...] = ()
    is_zero_shot: bool = False

    @classmethod
    def of(
        cls,
        query: Any,
        *,
        supports: Sequence[Support] = (),
        question: str | None = None,
        template: Template | None = None,
        choices: Sequence[str] = (),
        text_examples: Sequence[Mapping[str, str]] = (),
    ) -> Request:
        """Builds a request from files, pictures and strings.

        Args:
            query: an `Example`, or whatever `load_visual` takes.
            supports: see `Support`. A question given once goes for all of them.
            question: asked of the query.
            template: by default "Question: … Answer:" if there is a question, else "Output:".
            choices: candidate answers.
            text_examples: fields of examples without visuals, for the zero-shot prompt.

        Raises:
            SequenceError: both supports and text examples are given, or choices repeat.
            MediaError: a visual cannot be read.
        """
        if supports and text_examples:
            raise SequenceError(
                f"{len(supports)} supports and {len(text_examples)} text examples were given. "
                "Text examples stand in for supports in a zero-shot prompt; give one or the other."
            )
        with_question = [s for s in supports if not isinstance(s, Example) and len(s) == 3]
        if with_question and question is None and not isinstance(query, Example):
            raise SequenceError(
                f"{len(with_question)} supports carry a question, but the query has none.\n"
                "Give question=... for the query, or supports of (visual, answer)."
            )
        if len(set(choices)) < len(choices):
            raise SequenceError(f"A choice is given twice: {', '.join(choices)}.")
        template = template or (QUESTION_ANSWER if question is not None else CAPTION)
        shared = {} if question is None else {"question": question}
        shots = [_example(support, shared, template) for support in supports]
        texts = [Example((), {**shared, **fields}) for fields in text_examples]
        if not isinstance(query, Example):
            query = Example((load_visual(query),), shared)
        return cls(query, tuple(texts or shots), template, tuple(choices), bool(texts))

    def prompt(self) -> Interleaved:
        """The document that the model continues."""
        build = zero_shot_prompt if self.is_zero_shot else few_shot_prompt
        return build(self.supports, self.query, self.template)


def _example(support: Support, shared: Mapping[str, str], template: Template) -> Example:
    if isinstance(support, Example):
        return support
    if len(support) not in (2, 3):
        raise SequenceError(
            f"A support is (visual, answer) or (visual, question, answer), but one has "
            f"{len(support)} parts: {support!r}."
        )
    fields = dict(shared)
    if len(support) == 3:
        fields["question"] = support[1]
    fields[template.answer] = support[-1]
    return Example((load_visual(support[0]),), fields)
