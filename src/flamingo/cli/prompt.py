"""`flamingo prompt`: asks a model about a file, with a handful of examples."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flamingo.cli.loading import Loading, add_loading_options
from flamingo.cli.output_file import check_output_file
from flamingo.cli.prompt_reading import PromptReading

if TYPE_CHECKING:
    from flamingo.inference.answer import Answer


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
    loading = Loading.of(args)
    # Files are read before the model, which takes longer to load than they take to be wrong.
    reading = PromptReading(loading.processor(args.model), args)
    work: Any = reading.document() if args.text is not None else list(reading.requests())
    predictor = loading(args.model)
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
