"""Each way of asking is timed for what it is said to do, and gives the same answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from flamingo.foundation.errors import ConfigError
from flamingo.inference.speed_task import SpeedTask
from flamingo.inference.timed_answers import TimedAnswers
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from tests.families import VOCABULARY
from tests.tiny import SIZE, tiny_flamingo

TASK = SpeedTask(3, batch=2, queries=2, new_tokens=4, tokens_per_shot=5)


class Recorder:
    """Calls a function and keeps what went in and came out."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.calls: list[tuple[tuple[Any, ...], Any]] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        result = self.function(*args, **kwargs)
        self.calls.append((args, result))
        return result


def record(model: Any, name: str) -> Recorder:
    recorder = Recorder(getattr(model, name))
    setattr(model, name, recorder)
    return recorder


def ask_in_all_ways(answers: TimedAnswers) -> list[list[float]]:
    return [answers.whole(), answers.seen(), answers.after(answers.read()[0])]


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("family", ["llama", "lfm2"])
def test_all_ways_give_the_same_answers(family: str, beams: int) -> None:
    model = tiny_flamingo(family)
    task = SpeedTask(3, batch=2, beams=beams, queries=2, new_tokens=4, tokens_per_shot=5)
    answers = TimedAnswers(model, task)
    recorder = record(model, "generate")
    for moments in ask_in_all_ways(answers):
        assert len(moments) == task.new_tokens
        assert moments[0] > 0
        assert sorted(moments) == moments
    whole, *others = [output[:, -task.new_tokens :] for _, output in recorder.calls]
    assert len(whole) == task.batch
    assert all(torch.equal(other, whole) for other in others)


@pytest.mark.parametrize("beams", [1, 3])
def test_no_end_of_sequence_cuts_an_answer(beams: int) -> None:
    model = tiny_flamingo()
    model.generation_config.eos_token_id = [*range(0, VOCABULARY, 2)]
    task = SpeedTask(0, beams=beams, new_tokens=6)
    assert len(TimedAnswers(model, task).whole()) == 6


def test_what_is_known_is_not_seen_again() -> None:
    model = tiny_flamingo()
    answers = TimedAnswers(model, TASK)
    supports, _ = answers.read()
    recorder = record(model, "encode_visuals")
    counts = []
    for ask in (answers.whole, answers.seen, lambda: answers.after(supports)):
        recorder.calls.clear()
        ask()
        counts.append(sum(_frames(args[0]) for args, _ in recorder.calls))
    assert counts == [TASK.batch * (TASK.shots + 1), TASK.batch, TASK.batch]


def test_a_visual_encoder_is_given_few_frames_at_once() -> None:
    model = tiny_flamingo()
    answers = TimedAnswers(model, SpeedTask(8, frames=5, new_tokens=1))
    recorder = record(model, "encode_visuals")
    answers.whole()
    frames = [_frames(args[0]) for args, _ in recorder.calls]
    assert sum(frames) == 9 * 5
    assert max(frames) <= 32


def test_the_decoding_step_is_compiled_where_the_cache_is_static(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, asked = tiny_flamingo(), []

    def compiled(config: Any) -> Any:
        # Compiling takes much longer than a test may.
        asked.append(config)
        monkeypatch.setattr(model, "_compiled_call", model.__call__, raising=False)
        return model.__call__

    monkeypatch.setattr(model, "get_compiled_call", compiled)
    task = SpeedTask(2, queries=1, new_tokens=3, is_compiled=True)
    ask_in_all_ways(TimedAnswers(model, task))
    assert len(asked) == 2


def test_it_is_said_where_nothing_is_compiled() -> None:
    model: FlamingoForConditionalGeneration = tiny_flamingo()
    model.generation_config.disable_compile = True
    answers = TimedAnswers(model, SpeedTask(0, new_tokens=2, is_compiled=True))
    with pytest.raises(ConfigError, match=r"is not compiled.*Leave --compile out"):
        answers.whole()


def _frames(pixels: Tensor) -> int:
    assert pixels.shape[-1] == SIZE
    return pixels.shape[1] * pixels.shape[2]
