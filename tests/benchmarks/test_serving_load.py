"""The load test counts what is answered, and notices what is lost; how fast it is is not tested."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks import serving_load
from benchmarks.serving.answers import Incomplete, said
from benchmarks.serving.clients import Crowd, Outcome, Site
from benchmarks.serving.memory import Sample, facts, slope
from benchmarks.serving.mix import SHOTS, Mix, some
from benchmarks.serving.prepared import CHAT, FEW_SHOT, Prepared
from benchmarks.serving.rounds import Round
from benchmarks.serving.run import Found, gain
from benchmarks.serving.summary import percentiles, report, summary
from benchmarks.serving.wire import Reply
from flamingo.inference.predictor import Predictor
from flamingo.serving.api.service import Service
from flamingo.serving.engine import Engine
from flamingo.serving.limits import Limits
from tests.serving.api.running import serving

Answer = Callable[[bytes], bytes]

PLAIN = Prepared("chat", CHAT, b"{}")
STREAM = Prepared("chat, stream", CHAT, b"{}", is_stream=True)
FEW_SHOT_STREAM = Prepared("few-shot", FEW_SHOT, b"{}", is_stream=True)


def whole(text: str = "red circle", number: int = 0) -> bytes:
    message = {"message": {"content": text}, "finish_reason": "stop"}
    return json.dumps(
        {"id": f"chatcmpl-{number}", "object": "chat.completion", "choices": [message]}
    ).encode()


def events(*data: object) -> bytes:
    texts = [one if isinstance(one, str) else json.dumps(one) for one in data]
    return "".join(f"data: {text}\n\n" for text in texts).encode()


def chunk(text: str, finish: str | None = None) -> dict[str, object]:
    return {"id": "c", "choices": [{"delta": {"content": text}, "finish_reason": finish}]}


def test_forty_requests_in_a_row_have_the_shares_that_the_mix_promises() -> None:
    asked = some(iter(Mix()), 40)
    kinds = Counter(one.kind for one in asked)
    assert kinds == {
        "few-shot: supports of its own": 6,
        "few-shot: supports sent again": 5,
        "few-shot: support set": 4,
        "few-shot: support set, choices": 4,
        "few-shot: support set, stream": 3,
        "few-shot: support set, 3 beams": 2,
        "few-shot: supports of its own, choices": 8,
        "chat": 4,
        "chat, stream": 4,
    }
    own = [json.loads(one.body) for one in asked if one.kind == "few-shot: supports of its own"]
    assert sorted(len(body["supports"]) for body in own) == list(SHOTS)


def test_every_query_is_a_new_picture_and_a_seed_gives_the_same_ones() -> None:
    asked = some(iter(Mix()), 80)
    bodies = [json.loads(one.body) for one in asked]
    queries = [
        body["messages"][-1]["content"][0]["image_url"]["url"]
        if "messages" in body
        else body["query"]["visual"]
        for body in bodies
    ]
    assert len(set(queries)) == 80
    histories = [len(body["messages"]) for body in bodies if "messages" in body]
    assert max(histories) > min(histories) == 1
    assert [one.body for one in some(iter(Mix()), 80)] == [one.body for one in asked]


def test_an_answer_is_read() -> None:
    assert said(PLAIN, whole()).text == "red circle"
    assert said(STREAM, events(chunk("red"), chunk(" circle", "stop"), "[DONE]")).text == (
        "red circle"
    )
    last = {"id": "fs-1", "object": "few_shot.answer", "answer": "dax", "score": -1.0}
    found = said(FEW_SHOT_STREAM, events({"delta": "da"}, {"delta": "x"}, last, "[DONE]"))
    assert (found.id, found.text, found.score) == ("fs-1", "dax", -1.0)


@pytest.mark.parametrize(
    ("request_", "body", "what"),
    [
        (PLAIN, whole()[:-5], "JSONDecodeError"),
        (PLAIN, b'{"object": "chat.completion", "choices": []}', "IndexError"),
        (STREAM, events(chunk("red", "stop")), "comes 0 times"),
        (STREAM, events(chunk("red", "stop"), "[DONE]", "[DONE]"), "comes 2 times"),
        (STREAM, events(chunk("red"), "[DONE]"), "says that it is the last"),
        (STREAM, events(chunk("red", "stop"), "[DONE]")[:-1], "cut off"),
        (STREAM, events(chunk("r"), {"error": {"message": "no"}}, "[DONE]"), "an error"),
    ],
)
def test_what_is_no_whole_answer_is_noticed(request_: Prepared, body: bytes, what: str) -> None:
    with pytest.raises(Incomplete, match=what):
        said(request_, body)


def test_pieces_that_are_not_the_whole_are_noticed() -> None:
    last = {"id": "fs-1", "object": "few_shot.answer", "answer": "dax", "score": -1.0}
    with pytest.raises(Incomplete, match="the pieces say"):
        said(FEW_SHOT_STREAM, events({"delta": "da"}, last, "[DONE]"))


def test_outcomes_are_counted() -> None:
    found = Found()
    found.note(
        [
            Outcome(PLAIN, 0.0, Reply(200, {}, whole(number=1)), refusals=2),
            Outcome(PLAIN, 0.0, Reply(200, {}, whole(number=1))),
            Outcome(PLAIN, 0.0, Reply(500, {}, b"oh")),
            Outcome(PLAIN, 0.0, None, "EOFError: gone"),
        ]
    )
    assert (found.num_sent, found.num_complete, found.refusals) == (4, 1, 2)
    assert found.statuses == {"200": 2, "500": 1}
    assert sorted(found.troubles) == [
        "chat: 500 oh",
        "chat: EOFError: gone",
        "chat: two answers have one id",
    ]


def test_speed_counts_what_came_between_begin_and_end() -> None:
    def round_of(clients: int, *done_at: float) -> Round:
        replies = [Reply(200, {}, whole(number=int(10 * at)), done_at=at) for at in done_at]
        return Round(clients, 10.0, 12.0, [Outcome(PLAIN, 9.0, reply) for reply in replies])

    one, many = round_of(1, 9.5, 10.5, 11.5, 12.5), round_of(4, 10.1, 10.2, 10.3, 11.0, 11.9, 11.0)
    assert (one.rate, many.rate) == (1.0, 3.0)
    assert gain([one, many])["ratio"] == 3.0
    assert percentiles([1.0, 2.0, 3.0]) == pytest.approx({"p50": 2.0, "p90": 2.8, "p99": 2.98})
    assert percentiles([]) is None


def test_a_slope_is_kilobytes_for_a_thousand_requests() -> None:
    grown = [Sample(n, 2**20 + 7 * 1024 * n, 0, 0, 0) for n in range(0, 500, 100)]
    assert slope(grown) == pytest.approx(7000)
    assert slope(grown[:2]) is None
    later_flat = [Sample(n, 2**20 * min(n, 2), 0, 0, 0) for n in range(10)]
    assert facts(later_flat)["kb_per_1000_requests_in_second_half"] == pytest.approx(0, abs=1e-6)


def test_a_client_obeys_a_refusal_and_notices_a_broken_connection() -> None:
    """Three answers: try again, the right one, and one that breaks off."""
    answers = iter(
        [
            b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n{id}\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{id}\r\nhi",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n{id}\r\nhi",
        ]
    )
    times: list[float] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                times.append(asyncio.get_running_loop().time())
                [own] = [h for h in head.split(b"\r\n") if h.startswith(b"X-Request-ID")]
                reply = next(answers)
                writer.write(reply.replace(b"{id}", own + b"\r\n"))
                if b"Length: 5" in reply:
                    break
        writer.close()

    async def asked() -> list[Outcome]:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        crowd = Crowd(Site(*server.sockets[0].getsockname()[:2]), 1)
        await crowd.ask(iter([Prepared("chat", CHAT, b"") for _ in range(2)]))
        server.close()
        return crowd.outcomes

    first, second = asyncio.run(asked())
    assert first.refusals == 1
    assert first.reply is not None
    assert first.reply.body == b"hi"
    assert times[1] - times[0] >= 1.0
    assert second.reply is None
    assert "IncompleteReadError" in second.trouble


@pytest.fixture
def address() -> Iterator[str]:
    engine = Engine(Predictor.from_pretrained("miniature", dtype="steady"), Limits())
    engine.start()
    with serving(Service.of(engine, Limits())) as running:
        yield running.url
    engine.stop(0.0)


def test_it_measures_a_server_and_writes_all_of_it(
    address: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "load.json"
    options = ["--url", address, "--clients", "4", "--seconds", "1.5", "--rounds", "1"]
    options += ["--compared", "4", "--warm-up", "4", "--json", str(file)]
    monkeypatch.setattr(sys, "argv", ["serving_load", *options])
    serving_load.main()
    printed = capsys.readouterr().out
    found = json.loads(file.read_text(encoding="utf-8"))
    assert found["clients"] == 4
    assert found["sent"] == found["whole_answers"] > 0
    assert found["lost_or_wrong"] == {}
    assert set(found["statuses"]) == {"200"}
    assert found["parts"]["many"]["answers"] > 0
    assert 0 < found["compared"]["answers"] <= 4
    assert not found["compared"]["differing"]
    assert "4 clients" in printed
    assert found["machine"]["cpu"] in printed


def test_what_was_measured_before_an_interruption_can_be_told() -> None:
    assert "0 requests sent" in report(summary(Found()))
