"""What the engine answers is what a predictor answers, whoever asks beside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest
import torch

from flamingo.foundation.errors import DataError, SequenceError
from flamingo.sequence import Interleaved
from flamingo.serving.errors import Busy, JobTimeout, Stopping, TooLarge
from flamingo.serving.events import Answered, Done, Explained, Failed, Wrote
from flamingo.serving.jobs import Choose, Explain, Job, Prompt, Search, Write
from flamingo.serving.limits import Limits
from tests.serving.jobs_for_tests import Asked, predictor, prompt, request, running

SHOTS = (0, 1, 4, 2, 8)


def test_many_at_once_get_what_each_gets_alone() -> None:
    asked = [request(index, shots) for index, shots in enumerate(SHOTS)]
    alone = [predictor().answer_all([one], num_beams=1)[0] for one in asked]
    with running() as engine:
        jobs = [Write(prompt(index, shots), 20) for index, shots in enumerate(SHOTS)]
        all_asked = [Asked(engine, job) for job in jobs]
        found = [one.all() for one in all_asked]
    for events, answer in zip(found, alone, strict=True):
        pieces = [event for event in events if isinstance(event, Wrote)]
        assert "".join(piece.text for piece in pieces) == answer.text
        assert pieces[-1].finish == "stop"
        assert pieces[-1].score == pytest.approx(answer.score, abs=1e-3)
        assert isinstance(events[-1], Done)


def test_searches_and_choices_are_those_of_the_predictor() -> None:
    choices = ("red circle", "blue star", "a dax")
    asked = [request(index, shots) for index, shots in enumerate(SHOTS)]
    searched = [predictor().answer_all([one], num_beams=3)[0] for one in asked]
    with_choices = [request(index, shots, choices=choices) for index, shots in enumerate(SHOTS)]
    chosen = [predictor().answer_all([one])[0] for one in with_choices]
    with running() as engine:
        prompts = [prompt(index, shots) for index, shots in enumerate(SHOTS)]
        searches = [Asked(engine, Search(one, 20)) for one in prompts]
        template = asked[0].template
        picks = [Asked(engine, Choose(one, choices, template)) for one in prompts]
        for one, answer in zip(searches, searched, strict=True):
            event = one.next()
            assert isinstance(event, Answered)
            assert event.answer.text == answer.text
            assert event.answer.score == pytest.approx(answer.score, abs=1e-3)
            assert isinstance(one.next(), Done)
        for one, answer in zip(picks, chosen, strict=True):
            event = one.next()
            assert isinstance(event, Answered)
            assert [name for name, _ in event.answer.choices] == [n for n, _ in answer.choices]
            assert event.answer.score == pytest.approx(answer.score, abs=1e-3)


def test_what_was_read_before_is_told() -> None:
    with running() as engine:
        first = Asked(engine, Write(prompt(0, 4), 20)).all()[-1]
        again = Asked(engine, Write(prompt(0, 4), 20)).all()[-1]
    assert isinstance(first, Done)
    assert isinstance(again, Done)
    assert first.usage.cached_tokens == 0
    assert first.usage.num_visuals == 5
    assert 0 < again.usage.cached_tokens < again.usage.prompt_tokens
    assert again.usage.prompt_tokens == first.usage.prompt_tokens


def test_several_answers_of_one_prompt() -> None:
    drawn = Write(prompt(0, 1), 20, num_answers=3, temperature=4.0, seed=5)
    with running() as engine:
        greedy = Asked(engine, Write(prompt(0, 1), 20, num_answers=2)).texts()
        first = Asked(engine, drawn).texts()
        beside = [Asked(engine, Write(prompt(n, 2), 20)) for n in range(3)]
        second = Asked(engine, drawn).texts()
        for one in beside:
            one.all()
    assert greedy[0] == greedy[1] == predictor().answer_all([request(0, 1)], num_beams=1)[0].text
    assert first == second
    assert len(set(first)) > 1


def test_stop_texts_and_lengths() -> None:
    with running() as engine:
        whole = Asked(engine, Write(prompt(0, 4), 20)).texts()[0]
        word = whole.split()[1]
        stopped = Asked(engine, Write(prompt(0, 4), 20, stop=(word,))).all()
        cut = Asked(engine, Write(prompt(0, 4), 1)).all()
    pieces = [event for event in stopped if isinstance(event, Wrote)]
    assert "".join(piece.text for piece in pieces) == whole.split()[0]
    assert pieces[-1].finish == "stop"
    assert [event.finish for event in cut if isinstance(event, Wrote)] == ["length"]


def test_alternatives_are_the_likeliest_tokens() -> None:
    with running() as engine:
        events = Asked(engine, Write(prompt(0, 4), 20, num_alternatives=3)).all()
    tokens = [token for event in events if isinstance(event, Wrote) for token in event.tokens]
    assert "".join(token.text for token in tokens).strip() == "".join(
        event.text for event in events if isinstance(event, Wrote)
    )
    for token in tokens:
        assert len(token.alternatives) == 3
        assert token.alternatives[0] == (token.text, pytest.approx(token.log_probability))
        scores = [score for _, score in token.alternatives]
        assert scores == sorted(scores, reverse=True)


def test_an_explanation_tells_which_supports_speak_for_the_answer() -> None:
    asked = request(1, 4, "new-word-2")
    one_by_one = tuple(
        request_part.support_prompt()
        for request_part in (
            type(asked)(asked.query, (support,), asked.template) for support in asked.supports
        )
    )
    answer = predictor().answer_all([asked], num_beams=1)[0].text
    with running() as engine:
        job = Explain(one_by_one, asked.query_prompt(), answer, asked.template)
        event = Asked(engine, job).all()[0]
    assert isinstance(event, Explained)
    assert len(event.effects) == 4
    attention = torch.tensor(event.attention)
    assert attention.dim() == 3
    assert float(attention.sum()) == pytest.approx(1, abs=1e-3)
    assert event.area == (0, 0, 1, 1)
    without = Interleaved.of(*one_by_one[1:], asked.query_prompt())
    text = asked.template.continuation(answer)
    expected = event.score - predictor().score(without, [text])[0]
    assert event.effects[0] == pytest.approx(expected, abs=1e-3)


def test_one_bad_prompt_fails_alone() -> None:
    bad = Prompt(Interleaved(), Interleaved.of("a <image> tag"))
    long = Prompt(Interleaved(), Interleaved.of("word " * 300))
    with running(Limits(prompt_tokens=250)) as engine:
        jobs: list[Job] = [Write(prompt(0, 1), 5), Write(bad, 5), Write(long, 5)]
        good, tagged, longer = [Asked(engine, job).all()[-1] for job in jobs]
        together = [Asked(engine, job) for job in jobs * 3]
        ends = [one.all()[-1] for one in together]
    assert isinstance(good, Done)
    assert isinstance(tagged, Failed)
    assert isinstance(tagged.error, SequenceError)
    assert isinstance(longer, Failed)
    assert isinstance(longer.error, TooLarge)
    assert [type(end) for end in ends] == [Done, Failed, Failed] * 3


def test_a_fault_of_the_model_fails_its_job_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    with running() as engine:
        read = engine._work.prefixes.of_all
        poisoned = prompt(3, 2)

        def of_all(befores: Sequence[Interleaved]) -> Any:
            if poisoned.before in befores:
                raise RuntimeError("out of memory")
            return read(befores)

        monkeypatch.setattr(engine._work.prefixes, "of_all", of_all)
        asked = [Asked(engine, Write(own, 5)) for own in (prompt(0, 1), poisoned, prompt(1, 2))]
        ends = [one.all()[-1] for one in asked]
        after = Asked(engine, Write(prompt(2, 1), 5)).all()[-1]
        assert engine.is_alive
        assert engine.stats().num_failed == 1
    assert [type(end) for end in ends] == [Done, Failed, Done]
    assert isinstance(after, Done)


def test_a_fault_while_answers_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    with running() as engine:
        step = engine._work.step
        faults = iter([True])

        def failing(writing: Any) -> None:
            if next(faults, False):
                raise RuntimeError("a fault")
            step(writing)

        monkeypatch.setattr(engine._work, "step", failing)
        end = Asked(engine, Write(prompt(0, 1), 20)).all()[-1]
        after = Asked(engine, Write(prompt(0, 1), 20)).all()[-1]
    assert isinstance(end, Failed)
    assert isinstance(end.error, RuntimeError)
    assert isinstance(after, Done)


def test_a_full_disk_costs_the_store_and_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def get(self, fingerprint: str) -> None:
            return None

        def put(self, fingerprint: str, tokens: Any) -> None:
            raise DataError("no space left on device")

    memory = predictor().visual_memory()
    with running() as engine:
        monkeypatch.setattr(engine._work, "memory", memory)
        monkeypatch.setattr(engine._work.prefixes, "_memory", memory)
        memory.store = Full()  # type: ignore[assignment]
        assert isinstance(Asked(engine, Write(prompt(11, 2), 5)).all()[-1], Done)
        assert memory.store is None


def test_who_leaves_is_not_answered() -> None:
    with running(Limits(new_tokens=400)) as engine:
        asked = Asked(engine, Write(prompt(0, 1), 400, temperature=3.0, seed=1))
        assert isinstance(asked.next(), Wrote)
        asked.ticket.cancel()
        until = time.monotonic() + 20
        while engine.stats().pixel_bytes and time.monotonic() < until:
            time.sleep(0.01)
        assert engine.stats().pixel_bytes == engine.stats().num_running == 0


def test_what_takes_too_long_is_told() -> None:
    with running(Limits(seconds=0.2)) as engine:
        asked = Asked(engine, Write(prompt(0, 1), 100_000, temperature=5.0, seed=1))
        end = asked.all()[-1]
        assert isinstance(end, Failed)
        assert isinstance(end.error, JobTimeout)
        search = Asked(engine, Search(prompt(0, 1), 100_000)).all()[-1]
    assert isinstance(search, Done | Failed)


def test_too_many_are_refused() -> None:
    release = threading.Event()
    with running(Limits(queued=2, rows=1, batches=1)) as engine:
        blocker = engine.submit(
            Write(prompt(0, 1), 50), lambda event: release.wait(20) and None, client="x"
        )
        until = time.monotonic() + 20
        while engine.stats().num_waiting and time.monotonic() < until:
            time.sleep(0.01)
        waiting = [Asked(engine, Write(prompt(0, 1), 1)) for _ in range(2)]
        with pytest.raises(Busy, match="2 requests wait already") as refused:
            engine.submit(Write(prompt(0, 1), 1), lambda event: None)
        assert refused.value.retry_after >= 1
        release.set()
        assert all(isinstance(one.all()[-1], Done) for one in waiting)
        blocker.cancel()
        assert engine.stats().num_refused == 1


def test_pixels_are_bounded() -> None:
    release = threading.Event()
    first = prompt(0, 1)
    with running(Limits(pixel_bytes=first.num_bytes + 1, rows=1)) as engine:
        engine.submit(Write(first, 50), lambda event: release.wait(20) and None)
        with pytest.raises(Busy, match="bytes already"):
            engine.submit(Write(prompt(1, 1), 1), lambda event: None)
        release.set()


def test_stopping_finishes_what_was_accepted() -> None:
    with running() as engine:
        asked = [Asked(engine, Write(prompt(index, 2), 20)) for index in range(6)]
        engine.stop(30)
        assert all(isinstance(one.all()[-1], Done) for one in asked)
        assert not engine.is_alive
        with pytest.raises(Stopping):
            engine.submit(Write(prompt(0, 1), 1), lambda event: None)


def test_stopping_does_not_wait_for_ever() -> None:
    with running(Limits(seconds=600)) as engine:
        asked = Asked(engine, Write(prompt(0, 1), 100_000, temperature=5.0, seed=1))
        asked.next()
        engine.stop(0.1)
        end = asked.all()[-1]
    assert isinstance(end, Failed)
    assert isinstance(end.error, Stopping)
