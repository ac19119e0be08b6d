"""The command `flamingo`: finds the verb, runs it, turns errors into messages and exit codes."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from importlib import metadata

from flamingo.cli import (
    ablate,
    bench,
    benchmarks,
    contamination,
    convert,
    curves,
    demo,
    evaluate,
    features,
    inspect,
    plan,
    prepare,
    prompt,
    report,
    retrieve,
    sensitivity,
    serve,
    train,
)
from flamingo.foundation.errors import FlamingoError

# Each module has `add_parser(subparsers)` and `run(args) -> int`, and imports what only it needs
# in `run`. That `import flamingo` itself takes seconds is decided in docs/decisions/0004.
VERBS = {
    "prompt": prompt,
    "prepare": prepare,
    "train": train,
    "curves": curves,
    "features": features,
    "plan": plan,
    "evaluate": evaluate,
    "benchmarks": benchmarks,
    "ablate": ablate,
    "report": report,
    "sensitivity": sensitivity,
    "contamination": contamination,
    "retrieve": retrieve,
    "inspect": inspect,
    "bench": bench,
    "convert": convert,
    "demo": demo,
    "serve": serve,
}

_GO_ON = ("evaluate", "prepare", "ablate")
"""Verbs that keep what was done, and go on from it; `train` says so itself."""

_CURES: dict[type[OSError], str] = {
    FileExistsError: "A file is in the way. Choose another place, or remove it.",
    NotADirectoryError: "A part of this path is a file. Choose another place.",
    PermissionError: "Choose another place, or have its rights changed.",
}
"""What to do where the system refuses a file that a user named."""

EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="flamingo",
        description="A visual language model that learns a task from the examples in its prompt.",
    )
    version = f"flamingo {metadata.version('flamingo-vlm')}"
    parser.add_argument("--version", action="version", version=version)
    subparsers = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb in VERBS.values():
        verb.add_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit code.

    0 if all is well, 1 if `flamingo benchmarks --data` found files missing, 2 for wrong input, 130
    if it was interrupted.
    """
    args = build_parser().parse_args(argv)
    _quiet_libraries()
    try:
        return VERBS[args.verb].run(args)
    except FlamingoError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return EXIT_USER_ERROR
    except KeyboardInterrupt:
        goes_on = " The same command goes on from there." if args.verb in _GO_ON else ""
        print(f"Interrupted.{goes_on}", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has what it wanted; keep Python from complaining on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.filename is None:
            raise
        print(f"{type(error).__name__}: {error.strerror}: {error.filename}", file=sys.stderr)
        if type(error) in _CURES:
            print(_CURES[type(error)], file=sys.stderr)
        return EXIT_USER_ERROR


def _quiet_libraries() -> None:
    """What a verb prints is its answer; notes on kernels and bars of loaded weights are not."""
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    # It says at each multiplication what 8 bits are: that they take float16.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)


if __name__ == "__main__":
    sys.exit(main())
