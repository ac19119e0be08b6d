"""Many clients at a time beside one at a time: speed, latency, whole answers, memory.

    python -m benchmarks.serving_load --json load.json

Starts `flamingo serve --model miniature` on a free port, or asks the server at `--url`. Rounds of
one client, which asks one request after the other, take turns with rounds of many; both ask the
same mix (`benchmarks/serving/mix.py`), in which every query is a picture that nobody saw before.
Requests are made before the clock starts. A 429 is obeyed: the client waits as long as it is told
and asks again, and the wait is part of the latency. Then some answers of the many are asked for
again, one at a time, and have to be the same; and the server's memory is watched over further
requests. Ctrl-C ends it with a report of what was measured.

A server that is started here keeps few decoded pictures, visual tokens and prompts' beginnings, so
that these soon stop to grow.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import torch

from benchmarks.serving.process import Process, served
from benchmarks.serving.run import Found, Plan, measure
from benchmarks.serving.summary import report, summary
from flamingo.evaluation.report import machine
from flamingo.foundation.devices import pick_device
from flamingo.foundation.records import json_text

LIMITS = ("visual_cache_bytes=16777216", "prefix_bytes=67108864", "visual_token_bytes=16777216")
"""Of a server that is started here: small, so that they are soon reached."""


@contextmanager
def site(url: str | None, options: list[str], log: IO[bytes]) -> Iterator[Process]:
    """The server at an address, or one of our own."""
    if url is None:
        limits = [word for limit in LIMITS for word in ("--limit", limit)]
        with served(["--model", "miniature", *limits, *options], log) as process:
            yield process
        return
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise SystemExit(f"--url is {url!r}, but must be like http://127.0.0.1:8000")
    yield Process(parts.hostname, parts.port or 80, None)


def about() -> dict[str, Any]:
    """Where and when it was measured."""
    return {
        "command": shlex.join(["python", "-m", "benchmarks.serving_load", *sys.argv[1:]]),
        "date": datetime.now(UTC).date().isoformat(),
        "torch": torch.__version__,
        "omp_num_threads": os.environ.get("OMP_NUM_THREADS"),
        "load_before": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "machine": machine(pick_device("cpu"), num_processes=1),
    }


def main() -> None:
    """Prints the measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="of a running server of the miniature, without API keys")
    parser.add_argument("--clients", type=int, default=64, help="at the same time")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each of the two parts")
    parser.add_argument("--rounds", type=int, default=3, help="into which a part is divided")
    parser.add_argument("--requests", type=int, default=5000, help="over which memory is watched")
    parser.add_argument("--compared", type=int, default=200, help="answers that are asked again")
    parser.add_argument("--warm-up", type=int, default=80, help="requests before each part")
    parser.add_argument(
        "--serve", default="", metavar="OPTIONS", help="further options of flamingo serve"
    )
    parser.add_argument("--log", type=Path, metavar="FILE", help="for what the server logs")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    plan = Plan(args.clients, args.seconds, args.rounds, args.requests, args.compared, args.warm_up)
    facts, found, is_interrupted = about(), Found(), False
    with (
        args.log.open("wb") if args.log else tempfile.TemporaryFile() as log,
        site(args.url, shlex.split(args.serve), log) as process,
    ):
        try:
            asyncio.run(measure(process, plan, found))
        except KeyboardInterrupt:
            is_interrupted = True
            print("Interrupted: what was measured so far.", file=sys.stderr)
    told = summary(found)
    cpu = facts["machine"]
    print(
        f"{facts['date']}, {cpu['cpu']}, {cpu['cores']} threads shared by server and clients, "
        f"load before {facts['load_before']:.1f}, torch {facts['torch']}\n{facts['command']}\n"
    )
    print(report(told))
    if args.json:
        all_told = {**facts, "is_interrupted": is_interrupted, **told}
        args.json.write_text(json_text(all_told), encoding="utf-8")


if __name__ == "__main__":
    main()
