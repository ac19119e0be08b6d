"""A support set and a query, made into one prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flamingo.prompting.templates import Template
from flamingo.sequence import END_OF_CHUNK, EndOfChunk, Interleaved, Visual


@dataclass(frozen=True)
class Example:
    """One example of a task: what is seen and what is said about it.

    Args:
        visuals: the images or videos, in order; may be empty.
        fields: the template's fields; a query has no answer among them.
    """

    visuals: tuple[Visual, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)


def few_shot_prompt(supports: Sequence[Example], query: Example, template: Template) -> Interleaved:
    """The supports in the given order, then the query, open for its answer.

    Raises:
        ConfigError: an example lacks a field of the template.

    Paper: Sec. 2.5, Fig. 8.
    """
    return support_prompt(supports, template) + query_prompt(query, template)


def support_prompt(supports: Sequence[Example], template: Template) -> Interleaved:
    """The part of a few-shot prompt that all queries with these supports have in common.

    That is the template's instruction, if it has one, and the supports.

    Raises:
        ConfigError: a support lacks a field of the template.
    """
    examples = (_support(example, template) for example in supports)
    return Interleaved.of(template.instruction, *examples)


def query_prompt(query: Example, template: Template) -> Interleaved:
    """The part of a few-shot prompt behind its supports, open for the answer.

    Raises:
        ConfigError: the query lacks a field of the template.
    """
    first, *further = template.turns(**query.fields)
    turns = (Interleaved.of(END_OF_CHUNK, turn) for turn in further)
    return Interleaved.of(template.before_visuals(**query.fields), *query.visuals, first, *turns)


def _support(example: Example, template: Template) -> Interleaved:
    # The chunk is closed here because a support without visuals may follow another one.
    end = EndOfChunk.BARE if template.ends_bare else END_OF_CHUNK
    answer = template.annotation(**example.fields)
    return Interleaved.of(query_prompt(example, template), answer, end)
