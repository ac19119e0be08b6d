"""The fuzzing of `flamingo serve` sees what it is there to see."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.fuzz_serving import fuzz, report
from benchmarks.fuzzing_serving import server as server_module
from benchmarks.fuzzing_serving.bodies import broken_bodies
from benchmarks.fuzzing_serving.judging import Sent, faults_of, in_groups
from benchmarks.fuzzing_serving.media import broken_media
from benchmarks.fuzzing_serving.raw import raw_requests
from benchmarks.fuzzing_serving.server import Watched


def answered(status: int, body: Any, **more: Any) -> Sent:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Sent("kind: more", "what", status, content, 0.1, **more)


def error(kind: str = "invalid_request_error", message: str = "It is wrong.") -> Any:
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def test_sound_answers_have_no_faults() -> None:
    for sent in (
        answered(200, {"id": "a"}),
        answered(400, error()),
        answered(408, error("timeout_error")),
        answered(405, b""),
        answered(200, b'data: {"id": 1}\n\ndata: [DONE]\n\n'),
        answered(0, b"", may_close=True),
    ):
        assert faults_of(sent) == [], sent


@pytest.mark.parametrize(
    "sent",
    [
        answered(500, error("server_error")),
        answered(400, error("server_error")),
        answered(400, {"detail": "wrong"}),
        answered(400, b"Bad Request"),
        answered(400, error(message="")),
        answered(400, error(message="Traceback (most recent call last)")),
        answered(400, error(message=f"{sys.prefix}/lib is broken")),
        answered(400, error(message="a" * 9000)),
        answered(200, b'data: {"id": 1}\n\n'),
        answered(200, b'data: {"error": {"message": "a"}}\n\ndata: [DONE]\n\n'),
        answered(-1, b"", may_close=True),
        answered(0, b""),
    ],
)
def test_faults_are_seen(sent: Sent) -> None:
    assert faults_of(sent)


def test_groups() -> None:
    groups = in_groups([answered(400, b""), answered(0, b""), answered(400, b"")])
    assert groups == {"kind": {"400": 2, "closed": 1}}


def test_a_seed_gives_the_same_requests(tmp_path: Path) -> None:
    def all_of(seed: int) -> list[Any]:
        draw = random.Random(seed)
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        return [
            *broken_bodies(60, draw),
            *broken_media(30, draw, folder, 9),
            *raw_requests(300, draw, ("/health",)),
        ]

    assert len(all_of(1)) == 390
    # Files that are made have moments in them: bodies and raw requests are compared.
    assert all_of(1)[:60] == all_of(1)[:60]
    assert all_of(1)[:60] != all_of(2)[:60]


def test_what_a_process_does_is_noted_and_judged(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "sets").mkdir(parents=True)
    deeds = (
        "import os, pathlib, socket, subprocess, sys\n"
        "sets = pathlib.Path('sets')\n"
        "(sets / 'a.json').write_text('a')\n"
        "os.replace(sets / 'a.json', sets / 'b.json')\n"
        "open(os.__file__).close()\n"
        "pathlib.Path('c').write_text('a')\n"
        "open('/etc/hostname').close()\n"
        "os.replace(sets / 'b.json', 'd')\n"
        "subprocess.run(['true'])\n"
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('127.0.0.1', 9))\n"
    )
    watching = Path(server_module.__file__).parent / "watched"
    own = {"PYTHONPATH": str(watching), "FLAMINGO_WATCH_LOG": str(tmp_path / "watch")}
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", deeds],
        cwd=folder,
        env={**os.environ, **own},
        text=True,
    )
    assert process.wait() == 0
    watched = Watched(0, folder, process)
    told = " ".join(watched.forbidden(0))
    for event in ("'c'", "hostname", "os.rename", "subprocess.Popen", "socket.connect"):
        assert event in told
    for harmless in ("a.json'", os.__file__):
        assert harmless not in told
    assert watched.forbidden(watched.num_events()) == []


@pytest.mark.slow
def test_a_little_fuzzing(tmp_path: Path) -> None:
    found = fuzz(tmp_path, 300, 3, is_small=True)
    assert found.violations == [], report(found)
    assert found.count >= 300
    assert "300 requests" in report(found)
