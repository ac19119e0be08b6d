"""What `flamingo prompt` is asked, by options or JSON lines, as its model writes prompts."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flamingo.data.processor import FlamingoProcessor
    from flamingo.inference.requests import Request
    from flamingo.prompting import Template
    from flamingo.sequence import Interleaved, Visual


@dataclass(frozen=True)
class PromptReading:
    """Reads prompts before their model is there, which takes longer than they take to be wrong.

    Args:
        processor: of the model: how it looks at pictures, and how its prompts are written.
        args: the options.
    """

    processor: FlamingoProcessor
    args: argparse.Namespace

    def document(self) -> Interleaved:
        """The whole prompt as the user has written it.

        Raises:
            FlamingoError: tags and files are not equally many, or a file cannot be read.
        """
        from flamingo.data.tagged_text import open_document

        markup = self.processor.encoder().prepared.markup
        visuals = [self._load(name) for name in self.args.visual]
        return open_document(self.args.text, visuals, markup)

    def requests(self) -> Iterator[Request]:
        """One query with its supports, or those of a file.

        Raises:
            FlamingoError: a line is no prompt, or a file cannot be read.
        """
        from flamingo.inference.requests import Request

        args = self.args
        if args.jsonl is not None:
            yield from self._requests_of_lines()
            return
        template = self._template(args.template)
        written = template or self._default(bool(args.question))
        yield Request.of(
            self._load(args.query),
            supports=[(self._load(name), text) for name, text in args.support],
            question=args.question,
            template=template,
            choices=args.choices,
            text_examples=[{written.answer: text} for text in args.text_example],
            templates=self._templates,
        )

    def _requests_of_lines(self) -> Iterator[Request]:
        from flamingo.foundation.errors import DataError

        if self.args.jsonl == "-":
            text, folder = sys.stdin.read(), Path()
        else:
            path = Path(self.args.jsonl)
            if not path.is_file():
                raise DataError(f"There is no file {path} to read prompts from.")
            text, folder = _text_of(path), path.parent
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip():
                continue
            try:
                yield self._request_of_line(json.loads(line), folder)
            except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
                raise DataError(
                    f"Line {number} of {self.args.jsonl} is not a prompt: "
                    f"{type(error).__name__}: {error}.\n"
                    'A line is {"supports": [{"visual": FILE, "output": TEXT}, ...], "query": '
                    '{"visual": FILE}}.'
                ) from error

    def _request_of_line(self, line: dict[str, Any], folder: Path) -> Request:
        from flamingo.inference.requests import Request
        from flamingo.prompting import Example

        def example(given: dict[str, Any]) -> Example:
            fields = {name: str(value) for name, value in given.items() if name != "visual"}
            names = given["visual"] if isinstance(given["visual"], list) else [given["visual"]]
            return Example(tuple(self._load(str(folder / name)) for name in names), fields)

        query = example(line["query"])
        given = self._template(line.get("template", self.args.template))
        return Request.of(
            query,
            supports=[example(support) for support in line.get("supports", [])],
            template=given or self._default("question" in query.fields),
            choices=_list_of(line, "choices") or self.args.choices,
            text_examples=line.get("text_examples", []),
        )

    @property
    def _templates(self) -> Mapping[str, Template]:
        """By name, the model's own ones, and the paper's for all others."""
        from flamingo.prompting import own_templates

        return own_templates(self.processor.templates)

    def _default(self, is_question: bool) -> Template:
        return self._templates["question-answer" if is_question else "caption"]

    def _template(self, text: str | None) -> Template | None:
        from flamingo.prompting import Template, template_named

        if text is None:
            return None
        if "{" in text:
            return Template.parse(text)
        return self._templates.get(text) or template_named(text)

    def _load(self, name: str) -> Visual:
        from flamingo.foundation.errors import MediaError

        args = self.args
        load = self.processor.image_processor.load
        visual: Visual = load(name, fps=args.fps, max_frames=args.max_frames)
        if args.video and not visual.is_video:
            raise MediaError(
                f"{name} gives {visual.num_frames} frame, but --video asks for a video. "
                "Leave --video out for still images, or raise --fps for a clip under a second."
            )
        return visual


def _text_of(path: Path) -> str:
    from flamingo.foundation.errors import DataError

    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text: {error}. Save it as UTF-8.") from error


def _list_of(line: dict[str, Any], name: str) -> list[str]:
    value = line.get(name, [])
    if not isinstance(value, list):
        raise TypeError(f"{name} is {value!r}, but must be a list of texts")
    return [str(item) for item in value]
