"""Requests of lmms-eval as prompts of a Flamingo."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from flamingo.data.files import load_visual
from flamingo.foundation.errors import ConfigError, DataError
from flamingo.prompting import Example, Template, few_shot_prompt, template_named, zero_shot_prompt
from flamingo.sequence import Interleaved, Visual

TAG = "<image>"


class LmmsPrompts:
    """Writes the text that a task made, or what a template makes of its document.

    Most tasks ask in sentences that were written for models which follow instructions. With a
    template the model is asked as it was trained: fields are taken from the document by name, as
    "question", and the task's own text is not used.

    Args:
        template: name of one of the paper's templates, or the text before an answer, with fields
            in braces; the task's own text if empty.
        text_examples: a JSON file with a list of examples, each the template's fields and its
            answer: the paper's zero-shot prompt puts two of them before the query.

    Attributes:
        load: reads what is to be seen, as `load_visual`; a model's own once it is known.

    Raises:
        ConfigError: there is no such template, or text examples are given without one.
        DataError: the file of examples is missing or damaged.
    """

    def __init__(self, template: str = "", text_examples: str = "") -> None:
        self.load: Callable[[Any], Visual] = load_visual
        self.template = _template(template)
        if text_examples and self.template is None:
            raise ConfigError(
                f"text_examples={text_examples} was given without a template to write them.\n"
                "Give one, as template=question-answer."
            )
        self.text_examples = _examples(Path(text_examples)) if text_examples else []

    def __call__(self, text: str, visuals: Sequence[Any] | None, document: Any) -> Interleaved:
        """The prompt of one request.

        Args:
            text: as the task wrote it; visuals stand where it has tags, else before it.
            visuals: pictures, or paths of pictures and videos.
            document: of the data set, with fields by name.

        Raises:
            ConfigError: the document lacks a field of the template.
            MediaError: a visual cannot be read, or is of a kind that cannot be seen.
            SequenceError: there are tags, but not as many as visuals.
        """
        seen = tuple(self.load(visual) for visual in visuals or ())
        if self.template is not None:
            query = Example(seen, _fields(self.template, document))
            build = zero_shot_prompt if self.text_examples else few_shot_prompt
            return build(self.text_examples, query, self.template)
        # The answer brings the space before it.
        text = text.rstrip(" ")
        return Interleaved.from_tagged(text if TAG in text else TAG * len(seen) + text, seen)


def _template(name: str) -> Template | None:
    if not name:
        return None
    return Template(name) if "{" in name else template_named(name)


def _fields(template: Template, document: Any) -> dict[str, str]:
    known = document if isinstance(document, Mapping) else {}
    missing = [name for name in template.fields if name not in known]
    if missing:
        raise ConfigError(
            f"The template {template.prefix!r} needs the field {missing[0]!r}, which the documents "
            f"of this task lack. They have {', '.join(map(str, known)) or '(none)'}.\n"
            "Give a template with these in braces, or none, for the task's own text."
        )
    return {name: str(known[name]) for name in template.fields}


def _examples(path: Path) -> list[Example]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return [Example((), {name: str(value) for name, value in one.items()}) for one in found]
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise DataError(
            f"{path} is not a file of text examples: {error}\n"
            'It holds a list, as [{"question": "…", "answer": "…"}, …].'
        ) from error
