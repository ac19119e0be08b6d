"""`flamingo prompt`: asks a model about a file, with a handful of examples."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flamingo.cli.loading import Loading, add_loading_options
from flamingo.cli.output_file import check_output_file

if TYPE_CHECKING:
    from flamingo.inference.answer import Answer
    from flamingo.inference.requests import Request
    from flamingo.prompting import Template
    from flamingo.sequence import Interleaved, Visual


def add_parser(subparsers: Any) -> None:
    """Adds the verb `prompt` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "prompt",
        help="ask a model about an image or a video, with a few examples",
        description="Prompts a model with annotated images or videos and a query. One prompt from "
        "the options below, or many from JSON lines (--jsonl).",
        epilog='A JSON line: {"supports": [{"visual": "a.png", "output": "a dax"}], "query": '
        '{"visual": "b.png"}}. Further keys: "template", "choices", "text_examples"; a '
        '"question" in query and supports, whose answers are then called "answer". Paths are '
        "relative to the file.",
    )
    parser.add_argument(
        "--model", default="miniature", help="miniature (default), a folder, or owner/name on a hub"
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--query", metavar="FILE", help="the image or video that is asked about")
    source.add_argument("--jsonl", metavar="FILE", help="prompts as JSON lines; - for stdin")
    source.add_argument(
        "--text", help="the whole prompt as text with <image> tags, one per --visual"
    )
    parser.add_argument("--visual", metavar="FILE", action="append", default=[], help="for --text")
    parser.add_argument(
        "--support",
        nargs=2,
        metavar=("FILE", "TEXT"),
        action="append",
        default=[],
        help="an example and its caption (or its answer, with --question); can be repeated",
    )
    parser.add_argument(
        "--text-example",
        metavar="TEXT",
        action="append",
        default=[],
        help="an example without its picture, for a zero-shot prompt; the paper gives two",
    )
    parser.add_argument("--question", help="asked of the query and of every support")
    parser.add_argument(
        "--template", help='a template of the paper by name, or a text such as "It says: {output}"'
    )
    parser.add_argument(
        "--choices", nargs="+", metavar="TEXT", default=[], help="pick the likeliest of these"
    )
    parser.add_argument(
        "--video", action="store_true", help="insist that every file is a video, not a still image"
    )
    parser.add_argument(
        "--fps", type=float, default=1.0, help="frames per second of a video (default 1)"
    )
    parser.add_argument("--max-frames", type=int, default=32, help="of a video (default 32)")
    parser.add_argument("--num-beams", type=int, default=3, help="1 for greedy (default 3)")
    parser.add_argument("--max-new-tokens", type=int, default=20, help="default 20")
    add_loading_options(parser)
    parser.add_argument("--json", action="store_true", help="print JSON lines")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write JSON lines here instead")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Answers one prompt or many.

    Raises:
        FlamingoError: a file, a model or a prompt is not as it should be.
    """
    _check_together(args)
    # Files are read before the model, which takes longer to load than they take to be wrong.
    work: Any = _document(args) if args.text is not None else list(_requests(args))
    predictor = Loading.of(args)(args.model)
    how = {"num_beams": args.num_beams, "max_new_tokens": args.max_new_tokens}
    if args.text is None:
        answers = predictor.answer_all(work, **how)
    else:
        memory = predictor.remembered().memory
        answers = (
            predictor.choose_all([work], [args.choices], memory=memory)
            if args.choices
            else predictor.complete([work], memory=memory, **how)
        )
    _show(answers, args)
    return 0


def _check_together(args: argparse.Namespace) -> None:
    """Refuses options that would be dropped without a word."""
    from flamingo.foundation.errors import ConfigError

    way = "--text" if args.text is not None else "--jsonl" if args.jsonl is not None else "--query"
    foreign = {
        "--text": ("support", "text_example", "question", "template"),
        "--jsonl": ("support", "text_example", "question", "visual"),
        "--query": ("visual",),
    }[way]
    given = [f"--{name.replace('_', '-')}" for name in foreign if getattr(args, name)]
    if given:
        raise ConfigError(
            f"{', '.join(given)} cannot go with {way}, which has its own way to say it.\n"
            "flamingo prompt --help shows which options belong together."
        )
    if way == "--text" and args.choices and args.text != args.text.rstrip():
        raise ConfigError(
            "The text ends in a space, but a choice brings its own. Remove the one in the text."
        )
    if len(set(args.choices)) < len(args.choices):
        raise ConfigError(f"A choice is given twice: {', '.join(args.choices)}.")
    for name in ("num_beams", "max_new_tokens", "max_frames"):
        if getattr(args, name) < 1:
            raise ConfigError(
                f"--{name.replace('_', '-')} is {getattr(args, name)}, but must be at least 1."
            )
    check_output_file("--out", args.out)


def _document(args: argparse.Namespace) -> Interleaved:
    from flamingo.sequence import Interleaved

    return Interleaved.from_tagged(args.text, [_load(name, args) for name in args.visual])


def _requests(args: argparse.Namespace) -> Iterator[Request]:
    from flamingo.inference.requests import Request

    if args.jsonl is not None:
        yield from _requests_of_lines(args)
        return
    template = _template(args.template)
    answer = template.answer if template else "answer" if args.question else "output"
    yield Request.of(
        _load(args.query, args),
        supports=[(_load(name, args), text) for name, text in args.support],
        question=args.question,
        template=template,
        choices=args.choices,
        text_examples=[{answer: text} for text in args.text_example],
    )


def _requests_of_lines(args: argparse.Namespace) -> Iterator[Request]:
    from flamingo.foundation.errors import DataError

    if args.jsonl == "-":
        text, folder = sys.stdin.read(), Path()
    else:
        path = Path(args.jsonl)
        if not path.is_file():
            raise DataError(f"There is no file {path} to read prompts from.")
        text, folder = _text_of(path), path.parent
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield _request_of_line(json.loads(line), folder, args)
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise DataError(
                f"Line {number} of {args.jsonl} is not a prompt: {type(error).__name__}: {error}.\n"
                'A line is {"supports": [{"visual": FILE, "output": TEXT}, ...], "query": '
                '{"visual": FILE}}.'
            ) from error


def _text_of(path: Path) -> str:
    from flamingo.foundation.errors import DataError

    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text: {error}. Save it as UTF-8.") from error


def _request_of_line(line: dict[str, Any], folder: Path, args: argparse.Namespace) -> Request:
    from flamingo.inference.requests import Request
    from flamingo.prompting import CAPTION, QUESTION_ANSWER, Example

    def example(given: dict[str, Any]) -> Example:
        fields = {name: str(value) for name, value in given.items() if name != "visual"}
        names = given["visual"] if isinstance(given["visual"], list) else [given["visual"]]
        return Example(tuple(_load(str(folder / name), args) for name in names), fields)

    query = example(line["query"])
    default = QUESTION_ANSWER if "question" in query.fields else CAPTION
    return Request.of(
        query,
        supports=[example(support) for support in line.get("supports", [])],
        template=_template(line.get("template", args.template)) or default,
        choices=_list_of(line, "choices") or args.choices,
        text_examples=line.get("text_examples", []),
    )


def _list_of(line: dict[str, Any], name: str) -> list[str]:
    value = line.get(name, [])
    if not isinstance(value, list):
        raise TypeError(f"{name} is {value!r}, but must be a list of texts")
    return [str(item) for item in value]


def _template(text: str | None) -> Template | None:
    from flamingo.prompting import Template, template_named

    if text is None:
        return None
    return Template.parse(text) if "{" in text else template_named(text)


def _load(name: str, args: argparse.Namespace) -> Visual:
    from flamingo.data.files import load_visual
    from flamingo.foundation.errors import MediaError

    visual = load_visual(name, fps=args.fps, max_frames=args.max_frames)
    if args.video and not visual.is_video:
        raise MediaError(
            f"{name} gives {visual.num_frames} frame, but --video asks for a video. "
            "Leave --video out for still images, or raise --fps for a clip under a second."
        )
    return visual


def _show(answers: list[Answer], args: argparse.Namespace) -> None:
    lines = [
        json.dumps(
            {"answer": answer.text, "score": answer.score}
            | ({"choices": dict(answer.choices)} if answer.choices else {}),
            ensure_ascii=False,
        )
        for answer in answers
    ]
    if args.out is not None:
        args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
        print(f"{len(lines)} answers written to {args.out}")
    elif args.json or args.jsonl is not None:
        print("\n".join(lines))
    else:
        for answer in answers:
            print(f"{answer.text}    (log-likelihood {answer.score:.3f})")
            for choice, score in answer.choices:
                print(f"  {score:9.3f}  {choice}")
