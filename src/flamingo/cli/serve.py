"""`flamingo serve`: answers over HTTP, and shows a page to teach a model by example."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flamingo.cli.loading import Loading, add_loading_options

if TYPE_CHECKING:
    from flamingo.serving.keys import Keys

KEYS_VARIABLE = "FLAMINGO_API_KEYS"
"""Holds keys, with commas or spaces between them."""

_EXTRA = ("fastapi", "uvicorn", "pydantic", "prometheus_client", "python_multipart")
_HERE = ("127.0.0.1", "localhost", "::1")


def add_parser(subparsers: Any) -> None:
    """Adds the verb `serve` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "serve",
        help="answer over HTTP: OpenAI's chat API, few-shot prompts, a page to teach by example",
        description="Serves a model: /v1/chat/completions as OpenAI's clients speak it, "
        "/v1/few_shot for prompts with supports, and a page to teach by example at /. SIGTERM or "
        "ctrl-C lets it finish what it accepted; a second one ends it at once.",
        epilog='Needs: pip install "flamingo-vlm[serve]". The API is described at /docs.',
    )
    parser.add_argument("--model", default="miniature", help="a name, a folder or a hub name")
    parser.add_argument("--host", default="127.0.0.1", help="default 127.0.0.1: this machine only")
    parser.add_argument(
        "--port", type=int, default=8000, help="default 8000; 0 for any that is free"
    )
    parser.add_argument(
        "--host-name",
        action="append",
        default=[],
        metavar="NAME",
        help="a name by which this server is asked (repeatable). Without API keys it answers only "
        "to its number, localhost, --host and these names: a page of any site could otherwise have "
        "its own name lead here, and ask in its visitor's place",
    )
    parser.add_argument(
        "--api-key-file",
        type=Path,
        metavar="FILE",
        help="keys, one in each line, one of which each request needs; or put them into the "
        f"environment variable {KEYS_VARIABLE}, with commas or spaces between them",
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="HOST",
        help="fetch images and clips that requests name by URL from this host (repeatable); "
        "without it nothing is fetched",
    )
    parser.add_argument(
        "--support-sets",
        type=Path,
        metavar="FOLDER",
        help="keep named support sets here, so that they outlive the server",
    )
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="change a limit, as in visuals=32 (repeatable); /v1/models tells all of them",
    )
    parser.add_argument(
        "--grace",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="to finish what was accepted, once a signal asks for the end (default 30)",
    )
    add_loading_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serves until a signal ends it.

    Raises:
        FlamingoError: an option is wrong, or the model cannot be loaded.
    """
    _check_extra()
    with _log_to_stderr():
        return _serve(args)


def _serve(args: argparse.Namespace) -> int:
    from flamingo.foundation.errors import ConfigError
    from flamingo.foundation.records import override
    from flamingo.serving.api.service import Service
    from flamingo.serving.api.sites import HostNames
    from flamingo.serving.engine import Engine
    from flamingo.serving.limits import Limits
    from flamingo.serving.remote import RemoteFiles
    from flamingo.serving.server import Server, bound_socket

    if not args.grace >= 0:
        raise ConfigError(f"--grace is {args.grace}, but must be 0 or more.")
    limits = override(Limits(), args.limit)
    keys = _keys(args.api_key_file)
    remote = RemoteFiles(args.allow_host, limits)
    host_names = HostNames([*args.host_name, *filter(None, [args.host])])
    if not keys and args.host not in _HERE:
        print(
            f"Warning: {args.host} can be reached from other machines, and no API key is set: "
            "anyone may ask. --api-key-file sets some.",
            file=sys.stderr,
        )
    # Before the model, which takes longer to load than an address takes to be wrong.
    with bound_socket(args.host, args.port) as listener:
        engine = Engine(Loading.of(args)(args.model), limits)
        service = Service.of(
            engine,
            limits,
            model=_served_name(args.model),
            keys=keys,
            remote=remote,
            support_sets=args.support_sets,
            host_names=host_names,
        )
        host, port = f"[{args.host}]" if ":" in args.host else args.host, listener.getsockname()[1]

        def ready() -> None:
            print(f"Ready. The page: http://{host}:{port}/   The API: http://{host}:{port}/v1")
            sys.stdout.flush()

        engine.start()
        try:
            Server(service, listener, grace=args.grace, ready=ready).run()
        finally:
            engine.stop(0.0)
            service.media.close()
    print("Stopped.")
    return 0


def _check_extra() -> None:
    """Says what to install, before the first import fails for want of it."""
    from importlib.util import find_spec

    from flamingo.foundation.errors import ConfigError

    missing = [name for name in _EXTRA if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"flamingo serve needs packages that are not installed: {', '.join(missing)}.\n"
            'Run: pip install "flamingo-vlm[serve]"'
        )


def _keys(path: Path | None) -> Keys:
    """Those of the file or of the environment; a command line can be read by other users."""
    from flamingo.foundation.errors import ConfigError
    from flamingo.serving.keys import Keys

    given = os.environ.get(KEYS_VARIABLE, "").replace(",", " ").split()
    if path is None:
        return Keys(given)
    if given:
        raise ConfigError(
            f"--api-key-file {path} is given, and {KEYS_VARIABLE} has {len(given)} keys.\n"
            "Keep all of them in one place: leave out the option, or unset the variable."
        )
    return Keys.read(path)


def _served_name(model: str) -> str:
    """The name that clients see: of a folder its last part, not where it lies."""
    path = Path(model)
    return path.resolve().name if path.is_dir() else model


@contextmanager
def _log_to_stderr() -> Iterator[None]:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger("flamingo.serving")
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]
