"""Do hostile requests crash, stall or lead out of `flamingo serve`? Exits with 1 if any does.

    python -m benchmarks.fuzz_serving --count 2500 --json FILE

A server of the miniature runs in a folder of its own, with small limits so that they are reached.
It gets what Schemathesis makes of its OpenAPI document, working bodies with one thing broken,
broken and hostile images and clips in every place, and bytes that are hardly HTTP, from fast, slow
and vanishing clients. No answer may be late, a fault of the server (5xx; 507 says that a limit of
what is kept is reached), or tell of its insides. An audit hook in the server notes every file that
it opens and every address that it asks for. At the end it has to answer as at the beginning.

Needs what the extras `dev` and `e2e` bring.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.fuzzing_serving.bodies import broken_bodies, working
from benchmarks.fuzzing_serving.judging import Sent, faults_of, in_groups
from benchmarks.fuzzing_serving.media import broken_media
from benchmarks.fuzzing_serving.raw import raw_requests, slow_clients
from benchmarks.fuzzing_serving.schemas import run_schemathesis, total
from benchmarks.fuzzing_serving.sending import Ask, Raw
from benchmarks.fuzzing_serving.server import Watched, watched
from tests.serving.api.running import episode, few_shot_body

_SHARES = {"bodies": 0.45, "media": 0.3, "raw": 0.25}
"""Of what is sent besides Schemathesis's requests."""
_EXAMPLES = 20
_CLIENTS, _RAW_CLIENTS = 4, 16
_MOST_GROWTH = 300 << 20
"""Bytes that the process may grow by from when it is warm; its caches may hold some of it."""
_MOST_OPEN = 8
"""Files and connections more than before."""
_NUM_SHOWN = 8


@dataclass
class Findings:
    """What was seen.

    Attributes:
        counts: of requests by kind and status.
        violations: of what must never be, with what reproduces it.
        slowest: the requests that took longest, of those that are not meant to be slow.
        seconds: for all of it.
        memory: of the server in bytes: warm, after each phase, at the end.
        events: that the audit hook noted after the server was ready.
        schemathesis: its summary.
    """

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    slowest: list[str] = field(default_factory=list)
    seconds: float = 0.0
    memory: dict[str, int] = field(default_factory=dict)
    events: int = 0
    schemathesis: str = ""

    @property
    def count(self) -> int:
        """Of all requests."""
        return sum(total(group) for group in self.counts.values())


def fuzz(root: Path, count: int, seed: int, *, is_small: bool = False) -> Findings:
    """Starts a server and sends it everything.

    Args:
        root: an empty folder.
        count: of requests at least.
        seed: of all draws.
        is_small: leaves out Schemathesis and slow clients.
    """
    found, begin = Findings(), time.monotonic()
    with _canary(found) as canary, watched(root) as server:
        _fuzz(found, server, canary, count, seed, is_small)
    if server.process.returncode != 0:
        found.violations.append(f"the server ended with {server.process.returncode}")
    if "Traceback" in server.log:
        place = server.log.index("Traceback")
        found.violations.append(f"in the log: {server.log[max(0, place - 300) : place + 3000]}")
    found.seconds = time.monotonic() - begin
    return found


def _fuzz(
    found: Findings, server: Watched, canary: int, count: int, seed: int, is_small: bool
) -> None:
    draw, scratch = random.Random(seed), server.folder.parent / "made"
    scratch.mkdir()
    sent: list[Sent] = []
    first = _check_working(found, server)
    after, num_open = server.num_events(), server.num_open()
    found.memory["warm"] = server.memory()
    with ThreadPoolExecutor(12) as slow:
        if not is_small:
            run = run_schemathesis(server.port, scratch, seed, _EXAMPLES)
            found.violations += [f"schemathesis: {one}" for one in run.failures]
            found.schemathesis = run.summary
            found.counts["schemathesis"] = run.statuses
            found.memory["schemathesis"] = server.memory()
        patient = [] if is_small else slow_clients()
        waiting = [slow.submit(one.send, server.port) for one in patient]
        left = max(0, count - total(found.counts.get("schemathesis", {})) - len(waiting))
        number = {name: round(share * left + 0.5) for name, share in _SHARES.items()}
        phases: dict[str, tuple[int, Iterable[Ask | Raw]]] = {
            "bodies": (_CLIENTS, broken_bodies(number["bodies"], draw)),
            "media": (_CLIENTS, broken_media(number["media"], draw, scratch, canary)),
            "raw": (_RAW_CLIENTS, raw_requests(number["raw"], draw, _paths())),
        }
        for name, (clients, requests) in phases.items():
            _tell(f"{name}: {number[name]}")
            sent += _all_sent(server, list(requests), clients)
            found.memory[name] = server.memory()
            _check_alive(found, server, name)
        sent += [one.result() for one in waiting]
    _judge(found, sent)
    if _check_working(found, server) != first:
        found.violations.append("at the end the server answers otherwise than at the beginning")
    found.memory["end"] = server.memory()
    if found.memory["end"] - found.memory["warm"] > _MOST_GROWTH:
        found.violations.append(f"the memory grew: {found.memory}")
    _check_open(found, server, num_open)
    found.events = server.num_events() - after
    found.violations += dict.fromkeys(server.forbidden(after))
    _check_files(found, server)


def _paths() -> tuple[str, ...]:
    return (
        "/",
        "/v1/chat/completions",
        "/v1/few_shot",
        "/v1/few_shot/support_sets",
        "/v1/few_shot/support_sets/fuzz",
        "/v1/files",
        "/v1/files/a",
        "/v1/models",
        "/v1/models/miniature",
        "/health",
        "/metrics",
        "/docs",
        "/openapi.json",
        "/static/main.js",
        "/favicon.ico",
        "/none",
    )


def _all_sent(server: Watched, requests: Sequence[Ask | Raw], clients: int) -> list[Sent]:
    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(lambda one: one.send(server.port), requests))


def _judge(found: Findings, sent: Sequence[Sent]) -> None:
    found.counts |= in_groups(sent)
    for one in sent:
        found.violations += [f"{one.kind}: {fault}\n    {one.what}" for fault in faults_of(one)]
    quick = sorted((one for one in sent if not one.may_close), key=lambda one: -one.seconds)
    found.slowest = [
        f"{one.seconds:.1f} s, {one.status}, {one.kind}: {one.what[:100]}"
        for one in quick[:_NUM_SHOWN]
    ]


def _check_working(found: Findings, server: Watched) -> list[str]:
    """Sends what has to be answered, and right; gives the answers of those that are certain."""
    for one in [*working()[-2:], *working()]:
        body = json.dumps(one.body).encode()
        sent = Ask(one.name, "POST", one.path, body).send(server.port)
        if not 200 <= sent.status < 300 or faults_of(sent):
            found.violations.append(f"a working request, {one.name}: {sent.status} {sent.body!r}")
    answers = []
    for index in range(6):
        shown = episode("caption", index, shots=4)
        body = json.dumps(few_shot_body(shown)).encode()
        sent = Ask("certain", "POST", "/v1/few_shot", body).send(server.port)
        answers.append(json.loads(sent.body)["answer"] if sent.status == 200 else str(sent.status))
    wanted = [episode("caption", index, shots=4).answer for index in range(6)]
    if sum(map(str.__eq__, answers, wanted)) < 4:
        found.violations.append(f"it answers {answers} instead of {wanted}")
    return answers


def _check_alive(found: Findings, server: Watched, phase: str) -> None:
    sent = Ask("health", "GET", "/health").send(server.port)
    if sent.body != b'{"status":"ok"}':
        found.violations.append(f"after {phase}: {sent.status} {sent.body!r}")


def _check_open(found: Findings, server: Watched, before: int) -> None:
    """Connections of clients that are gone have to be closed after a while."""
    end = time.monotonic() + 45
    while server.num_open() > before + _MOST_OPEN and time.monotonic() < end:
        time.sleep(0.5)
    if server.num_open() > before + _MOST_OPEN:
        found.violations.append(f"{server.num_open()} files are open, {before} were at the begin")


def _check_files(found: Findings, server: Watched) -> None:
    """Nothing but support sets may have been written."""
    for path in server.folder.rglob("*"):
        if path == server.sets or (path.parent == server.sets and path.suffix == ".json"):
            continue
        found.violations.append(f"a file was written: {path.relative_to(server.folder)}")


@contextmanager
def _canary(found: Findings) -> Iterator[int]:
    """A port on which nobody should ever be asked."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def listen() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    found.violations.append("the server connected to a forbidden address")

        threading.Thread(target=listen, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def report(found: Findings) -> str:
    """The findings, for people."""
    lines = [f"{found.count:,} requests in {found.seconds:.0f} s"]
    for kind, group in found.counts.items():
        told = "  ".join(f"{status}: {number}" for status, number in group.items())
        lines.append(f"  {kind:<13} {total(group):>5}   {told}")
    lines.append("slowest that are not meant to be:")
    lines += [f"  {one}" for one in found.slowest]
    megabytes = (f"{name} {number >> 20} MB" for name, number in found.memory.items())
    lines.append(f"memory: {', '.join(megabytes)}")
    lines.append(f"{found.events:,} files and addresses were opened, tried, made or removed")
    lines.append(f"{len(found.violations)} violations")
    lines += [f"  {one[:4000]}" for one in found.violations[:60]]
    return "\n".join(lines)


def _tell(text: str) -> None:
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


def main() -> int:
    """Prints the findings; 1 if anything happened that must not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2500, help="of requests (default 2,500)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as root:
        found = fuzz(Path(root).resolve(), args.count, args.seed)
    print(report(found))
    if args.json:
        plain: dict[str, Any] = {"requests": found.count, **asdict(found)}
        args.json.write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
    return 1 if found.violations else 0


if __name__ == "__main__":
    sys.exit(main())
