"""The engine's turns: who is read together, and what harms nobody else."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
import torch

from flamingo.sequence import Interleaved
from flamingo.serving.accepted import Accepted
from flamingo.serving.engine import Engine
from flamingo.serving.errors import JobTimeout
from flamingo.serving.events import Done, Event, Explained, Failed
from flamingo.serving.jobs import Explain, Prompt, Write
from flamingo.serving.limits import Limits
from flamingo.serving.running import Running
from flamingo.serving.sampling import Sampler
from tests.serving.jobs_for_tests import Asked, predictor, prompt, request, running


@contextmanager
def held(engine: Engine) -> Iterator[None]:
    """What is submitted meanwhile is taken in one turn, afterwards."""
    release, is_held = threading.Event(), threading.Event()

    def wait(event: Event) -> None:
        is_held.set()
        release.wait(20)

    engine.submit(Write(prompt(20, 0), 1), wait, client="holder")
    assert is_held.wait(20)
    yield
    release.set()


def test_a_bad_request_does_not_take_a_batch_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = Prompt(Interleaved(), Interleaved.of("a <image> tag"))
    with running() as engine:
        sizes: list[int] = []
        begin = engine._work.begin

        def counted(group: Sequence[Accepted], work: list[Running]) -> None:
            sizes.append(len(group))
            begin(group, work)

        monkeypatch.setattr(engine._work, "begin", counted)
        with held(engine):
            asked = [Asked(engine, Write(prompt(n, 2), 5), str(n)) for n in range(4)]
            wrong = Asked(engine, Write(bad, 5), "bad")
        assert isinstance(wrong.all()[-1], Failed)
        assert all(isinstance(one.all()[-1], Done) for one in asked)
    assert sizes == [1, 4]


def test_a_turn_reads_no_more_than_takes_a_short_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flamingo.serving.engine.READ_AT_ONCE", 150)
    with running() as engine:
        sizes: list[int] = []
        begin = engine._work.begin

        def counted(group: Sequence[Accepted], work: list[Running]) -> None:
            sizes.append(len(group))
            begin(group, work)

        monkeypatch.setattr(engine._work, "begin", counted)
        with held(engine):
            texts = [Interleaved.of(f"a text {n} " + "word " * 60) for n in range(4)]
            jobs = [Write(Prompt(Interleaved(), text), 1) for text in texts]
            asked = [Asked(engine, job) for job in jobs]
        assert all(isinstance(one.all()[-1], Done) for one in asked)
    assert sum(sizes) == 5
    assert max(sizes) < 4


def test_one_answer_that_fails_harms_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Sampler):
        def __call__(self, log_probabilities: torch.Tensor) -> int:
            raise RuntimeError("no number")

    monkeypatch.setattr(
        "flamingo.serving.writing.Sampler",
        lambda t, p, seed, n: (Broken if seed == 13 else Sampler)(t, p, seed, n),
    )
    with running() as engine:
        with held(engine):
            jobs = [
                Write(prompt(n, 2), 5, temperature=1.0, seed=13 if n == 1 else n) for n in range(3)
            ]
            asked = [Asked(engine, job) for job in jobs]
        assert [type(one.all()[-1]) for one in asked] == [Done, Failed, Done]


def test_the_smallest_temperatures_take_the_likeliest_token() -> None:
    with running() as engine:
        greedy = Asked(engine, Write(prompt(0, 2), 20)).texts()
        for temperature in (1e-310, 1e-9, 1e-5):
            cold = Write(prompt(0, 2), 20, temperature=temperature)
            assert Asked(engine, cold).texts() == greedy


def test_an_explanation_takes_turns_and_ends_in_time() -> None:
    asked = request(1, 16)
    parts = tuple(
        type(asked)(asked.query, (support,), asked.template).support_prompt()
        for support in asked.supports
    )
    job = Explain(parts * 5, asked.query_prompt(), "red circle", asked.template)
    with running(Limits(seconds=1.0)) as engine:
        explaining = Asked(engine, job)
        quick = Asked(engine, Write(prompt(0, 0), 1), "other")
        assert isinstance(quick.all()[-1], Done)
        assert explaining.events.empty()
        end = explaining.all()[-1]
        assert isinstance(end, Failed | Done)
        late = Asked.__new__(Asked)
        late.events = queue.SimpleQueue()
        engine.submit(Write(prompt(0, 0), 1), late.events.put, since=time.monotonic() - 2)
        last = late.all()[-1]
        assert isinstance(last, Failed)
        assert isinstance(last.error, JobTimeout)


def test_an_instruction_stays_when_a_support_is_left_out() -> None:
    asked = request(1, 2)
    parts = tuple(
        type(asked)(asked.query, (support,), asked.template).support_prompt()
        for support in asked.supports
    )
    told = Interleaved.of("Say what it is. ")
    query, text = asked.query_prompt(), asked.template.continuation("red circle")
    with running() as engine:
        job = Explain(parts, query, "red circle", asked.template, told)
        event = Asked(engine, job).all()[0]
    assert isinstance(event, Explained)
    whole, without = (
        predictor().score(Interleaved.of(told, *own, query), [text])[0]
        for own in (parts, parts[1:])
    )
    assert event.score == pytest.approx(whole, abs=1e-3)
    assert event.effects[0] == pytest.approx(whole - without, abs=1e-3)
