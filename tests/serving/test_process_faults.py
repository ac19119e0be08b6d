"""A whole server process: signals under load, sudden death, full disks."""

from __future__ import annotations

import json
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from tests.serving.api.running import episode, few_shot_body
from tests.serving.processes import ServerProcess, names, server_process

pytestmark = pytest.mark.slow

CHAT, FEW_SHOT, SETS = "/v1/chat/completions", "/v1/few_shot", "/v1/few_shot/support_sets"
LONG = {
    "model": "miniature",
    "messages": [{"role": "user", "content": "Output:"}],
    "max_tokens": 400,
    "n": 8,
    "temperature": 2.0,
}


def body_of_set(number: int) -> dict[str, Any]:
    supports = few_shot_body(episode(index=number, shots=2))["supports"]
    return {"name": f"set {number}", "supports": supports}


def asked(server: ServerProcess, path: str, body: object) -> httpx.Response | Exception:
    try:
        return server.post(path, body)
    except httpx.HTTPError as error:
        return error


def statuses(log: str) -> list[int]:
    """Of all requests that the server has written of."""
    return [int(status) for status in re.findall(r" INFO POST \S+ (\d+) ", log)]


def test_a_signal_under_load_lets_all_finish() -> None:
    found: list[httpx.Response | Exception] = []

    with server_process() as server:
        is_over = threading.Event()

        def ask_on(number: int) -> None:
            turn = 0
            while not is_over.is_set():
                shown = episode(index=number * 100 + turn, shots=turn % 5)
                found.append(asked(server, FEW_SHOT, few_shot_body(shown)))
                turn += 1

        clients = [threading.Thread(target=ask_on, args=(number,)) for number in range(12)]
        for client in clients:
            client.start()
        while len(found) < 30:
            time.sleep(0.05)
        server.process.send_signal(signal.SIGTERM)
        code = server.end()
        is_over.set()
        for client in clients:
            client.join(60)
        with pytest.raises(httpx.ConnectError):
            server.post(FEW_SHOT, {})
    assert code == 0, server.told()
    assert "Traceback" not in server.told()
    answers = [one for one in found if isinstance(one, httpx.Response)]
    # What it has read it has answered, completely; what it has not read was refused.
    assert len(answers) == len(statuses(server.told()))
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert sum(answer.status_code == 200 for answer in answers) >= 30
    assert all(
        answer.json()["usage"]["total_tokens"] for answer in answers if answer.status_code == 200
    )
    refused = [one for one in found if isinstance(one, Exception)]
    assert all(isinstance(one, httpx.NetworkError | httpx.RemoteProtocolError) for one in refused)


def test_too_short_a_grace_is_told() -> None:
    with server_process("--grace", "0.1") as server, ThreadPoolExecutor(8) as pool:
        whole = [pool.submit(asked, server, CHAT, LONG) for _ in range(4)]
        streams = [pool.submit(asked, server, CHAT, {**LONG, "stream": True}) for _ in range(4)]
        # Half of them are written, and half of them wait.
        while server.metric("engine_num_running") < 8 or server.metric("engine_num_waiting") < 2:
            assert not all(one.done() for one in (*whole, *streams))
            time.sleep(0.02)
        begin = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.end() == 0, server.told()
        assert time.monotonic() - begin < 15
        codes = []
        for one in (*whole, *streams):
            answer = one.result()
            assert isinstance(answer, httpx.Response)
            codes.append(code_of(answer))
    # Some may have come to their end in time.
    assert codes.count("stopping") >= 2
    assert set(codes) <= {"stopping", None}
    assert "Traceback" not in server.told()


def code_of(answer: httpx.Response) -> str | None:
    """Of the error that an answer is, or ends in; None if it is complete."""
    if answer.headers["content-type"] == "application/json":
        form = answer.json()
        assert answer.status_code == (503 if "error" in form else 200)
        assert "error" not in form or int(answer.headers["retry-after"]) >= 1
    else:
        *_, last, done = answer.text.strip().split("\n\n")
        assert done == "data: [DONE]"
        form = json.loads(last.removeprefix("data: "))
    return form["error"]["code"] if "error" in form else None


def test_sudden_death_leaves_nothing_half_written(tmp_path: Path) -> None:
    options = ("--support-sets", str(tmp_path))
    made: list[int] = []
    with server_process(*options) as server:

        def make(start: int) -> None:
            for number in range(start, start + 500):
                answer = asked(server, SETS, body_of_set(number))
                if isinstance(answer, Exception):
                    return
                assert answer.status_code == 201
                made.append(number)

        with ThreadPoolExecutor(4) as pool:
            makers = [pool.submit(make, start) for start in (0, 1000, 2000, 3000)]
            while len(made) < 20:
                time.sleep(0.01)
            server.process.send_signal(signal.SIGKILL)
            for maker in makers:
                maker.result()
    # One whose answer was on its way may be there besides.
    with server_process(*options) as server:
        kept = httpx.get(f"{server.url}{SETS}").json()["data"]
        assert {f"set {number}" for number in made} <= {one["name"] for one in kept}
        assert len(kept) <= len(made) + 4
        for one in kept:
            given = httpx.get(f"{server.url}{SETS}/{one['id']}").json()
            assert given["supports"] == body_of_set(int(one["name"][4:]))["supports"]
        assert names(tmp_path) == {f"{one['id']}.json" for one in kept}
        query = {"query": few_shot_body(episode())["query"], "support_set": kept[0]["id"]}
        assert server.post(FEW_SHOT, query).status_code == 200
    assert "damaged" not in server.told()


def test_a_full_disk(tmp_path: Path) -> None:
    sets, seen = tmp_path / "sets", tmp_path / "seen"
    options = ("--support-sets", str(sets), "--visual-cache", str(seen))
    body = body_of_set(0)
    small = {"name": "small", "supports": body["supports"][:1]}
    room = len(json.dumps(small)) + 500
    with server_process(*options, most_file_bytes=room) as server:
        assert server.post(SETS, small).status_code == 201
        for _ in range(2):
            answer = server.post(SETS, body)
            assert answer.status_code == 507
            error = answer.json()["error"]
            assert (error["type"], error["code"]) == ("server_error", "storage_full")
            assert str(tmp_path) not in answer.text
        assert len(names(sets)) == 1
        for index in range(3):
            # Visual tokens of a picture take more than there is room for in a file.
            answer = server.post(FEW_SHOT, few_shot_body(episode(index=index)))
            assert answer.status_code == 200, answer.text
        kept = httpx.get(f"{server.url}{SETS}").json()["data"]
        assert [one["name"] for one in kept] == ["small"]
        server.process.send_signal(signal.SIGTERM)
        assert server.end() == 0
    assert server.told().count("not kept on disk any more") == 1
    assert [path for path in seen.rglob("*") if path.is_file()] == []
    with server_process(*options) as server:
        assert server.post(SETS, body).status_code == 201
        assert server.post(FEW_SHOT, few_shot_body(episode())).status_code == 200
    assert len(names(sets)) == 2
    assert any(path.is_file() for path in seen.rglob("*"))
