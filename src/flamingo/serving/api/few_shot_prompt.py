"""From the examples of a request to the documents that the engine reads."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

from flamingo.foundation.errors import ConfigError, nearest
from flamingo.prompting import Example, Template, query_prompt, support_prompt
from flamingo.sequence import Interleaved, Visual
from flamingo.serving.api.error_answers import Refused
from flamingo.serving.jobs import Explain, Prompt

Fields = Mapping[str, str]


@dataclass(frozen=True)
class FewShotTexts:
    """All texts of a request, before anything is seen.

    Args:
        template: how an example is written.
        supports: the template's fields of each support, its answer among them.
        query: the template's fields of the query.
    """

    template: Template
    supports: tuple[Fields, ...]
    query: Fields

    @classmethod
    def of(
        cls,
        supports: Sequence[tuple[str, Fields]],
        query: Fields,
        *,
        template: str | None,
        question: str | None,
        templates: Mapping[str, Template],
    ) -> FewShotTexts:
        """Chooses the template and fits the fields to it.

        Args:
            supports: of each the place in the request, and the fields that it has there.
            query: those of the query.
            template: a name or a pattern; by default one with a place for a question if there is
                one.
            question: of the query and of supports that have none of their own; that of the query
                goes before it.
            templates: by name.

        Raises:
            Refused: a template does not exist or is malformed, or a field is missing or has no
                place in it.
        """
        question = query.get("question", question)
        shared = {} if question is None else {"question": question}
        has_question = bool(shared) or any("question" in fields for _, fields in supports)
        written = template_of(template, templates, has_question=has_question)
        if has_question and not shared and "question" in written.fields:
            raise Refused(
                "Supports carry a question, but the query has none. Give query.question.",
                "query.question",
            )
        return cls(
            written,
            tuple(_support({**shared, **fields}, written, param) for param, fields in supports),
            _query({**shared, **query}, written),
        )

    def written(self) -> Iterator[str]:
        """All texts of the prompt, each as often as it will be written."""
        pattern = f"{self.template.before} {self.template.prefix}"
        times = {name: pattern.count(f"{{{name}}}") for name in self.template.fields}
        for fields in (*self.supports, self.query):
            yield pattern
            for name, text in fields.items():
                yield from repeat(text, times.get(name, 1))

    def prompts(self, visuals: Sequence[Visual]) -> FewShotPrompts:
        """The documents, with what is seen: the supports' visuals in order, then the query's."""
        *seen, last = visuals
        supports = [
            Example((visual,), fields) for visual, fields in zip(seen, self.supports, strict=True)
        ]
        return FewShotPrompts(tuple(supports), Example((last,), self.query), self.template)


@dataclass(frozen=True)
class FewShotPrompts:
    """Examples and how they are written.

    Args:
        supports: annotated, in the order of the prompt.
        query: what the answer is wanted for.
        template: how an example is written.
    """

    supports: tuple[Example, ...]
    query: Example
    template: Template

    def prompt(self) -> Prompt:
        """Supports and query. An instruction alone is no closed chunk: it belongs to the query."""
        query = query_prompt(self.query, self.template)
        if not self.supports:
            return Prompt(Interleaved(), Interleaved.of(self.template.instruction, query))
        return Prompt(support_prompt(self.supports, self.template), query)

    def explained(self, answer: str) -> Explain:
        """What explains an answer: each support for itself, which are left out one by one."""
        bare = dataclasses.replace(self.template, instruction="")
        return Explain(
            tuple(support_prompt([one], bare) for one in self.supports),
            query_prompt(self.query, self.template),
            answer,
            self.template,
            Interleaved.of(self.template.instruction),
        )


def check_supports(
    supports: Sequence[tuple[str, Fields]],
    *,
    template: str | None,
    question: str | None,
    templates: Mapping[str, Template],
) -> None:
    """Refuses examples that no prompt could be made of; see `FewShotTexts.of`.

    Raises:
        Refused: the template does not fit them. A question that queries may still bring is no
            fault.
    """
    has_question = question is not None or any("question" in fields for _, fields in supports)
    written = template_of(template, templates, has_question=has_question)
    shared = {"question": question or ""} if "question" in written.fields or question else {}
    for param, fields in supports:
        _support({**shared, **fields}, written, param)


def template_of(
    given: str | None, templates: Mapping[str, Template], *, has_question: bool
) -> Template:
    """The template of a request.

    Args:
        given: a name or a pattern, or None for the usual one.
        templates: by name.
        has_question: whether there is a question to be written.

    Raises:
        Refused: there is none of this name, or the pattern is malformed.
    """
    if given is None:
        return templates["question-answer" if has_question else "caption"]
    if given in templates:
        return templates[given]
    if "{" not in given:
        raise Refused(
            f"There is no template {given[:100]!r}, and a pattern has fields in braces, as in "
            f'"It says: {{output}}". {nearest(given, templates)}',
            "template",
        )
    try:
        return Template.parse(given)
    except ConfigError as error:
        raise Refused(str(error), "template") from error


def _support(fields: Fields, template: Template, param: str) -> Fields:
    names = [name for name in fields if _is_answer(name, template)]
    if len(names) != 1:
        what = "its answer twice, in fields that mean the same" if names else "no answer"
        raise Refused(f"{param} has {what}. Give it once, as {template.answer!r}.", param)
    others = {name: text for name, text in fields.items() if name not in names}
    return {**_fitting(others, template, param), template.answer: fields[names[0]]}


def _query(fields: Fields, template: Template) -> Fields:
    for name in fields:
        if _is_answer(name, template):
            raise Refused(
                f"The query has the field {name!r}, but its answer is what is to be found.",
                f"query.{name}",
            )
    return _fitting(fields, template, "query")


def _is_answer(name: str, template: Template) -> bool:
    """Whether a field is the answer; "output" and "answer" are, whatever the template calls it."""
    return name in ("output", "answer", template.answer) and name not in template.fields


def _fitting(fields: Fields, template: Template, param: str) -> Fields:
    """The fields, if the template needs these and no others."""
    written = f"{template.before}{template.prefix} {{{template.answer}}}"
    for name in fields:
        if name not in template.fields:
            raise Refused(
                f"{param}.{name} has no place in the template {written!r}. Leave it out, or take "
                f"a template with {{{name}}} in it.",
                f"{param}.{name}",
            )
    for name in template.fields:
        if name not in fields:
            raise Refused(
                f"The template {written!r} needs the field {name!r}. Give {param}.{name}.",
                f"{param}.{name}",
            )
    return fields
