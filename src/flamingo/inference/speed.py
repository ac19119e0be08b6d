"""How fast a model answers few-shot prompts, and how much memory that takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from flamingo.inference.memory_use import peak_bytes_on
from flamingo.inference.speed_task import SpeedTask
from flamingo.inference.timed_answers import TimedAnswers
from flamingo.model.flamingo import FlamingoForConditionalGeneration


@dataclass(frozen=True)
class Measured:
    """A number that was measured in several rounds.

    Attributes:
        median: of the rounds.
        lowest: of a round.
        highest: of a round.
    """

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, rounds: Sequence[float]) -> Measured:
        """What the rounds gave."""
        return cls(median(rounds), min(rounds), max(rounds))


@dataclass(frozen=True)
class Speed:
    """What was measured of one task. What makes no sense without supports is None without them.

    Attributes:
        task: what was asked.
        first_token_seconds: until the first token of a batch: visuals seen, whole prompts read.
        first_token_seconds_supports_read: the same behind supports that were read before.
        token_seconds: from one token of a batch to the next; None where answers have only one.
        queries_per_second: whole prompts, of which nothing is known.
        queries_per_second_shared_supports: queries with the same supports, which are seen and read
            once at their beginning; this time counts.
        queries_per_second_visuals_seen: queries with other supports each, of which the visual
            tokens are known.
        peak_bytes: while a batch of whole prompts is answered, beyond weights and pictures; None
            where the device does not tell.
        support_cache_bytes: of the supports, once they are read.
    """

    task: SpeedTask
    first_token_seconds: Measured
    first_token_seconds_supports_read: Measured | None
    token_seconds: Measured | None
    queries_per_second: Measured
    queries_per_second_shared_supports: Measured | None
    queries_per_second_visuals_seen: Measured | None
    peak_bytes: int | None
    support_cache_bytes: int | None


def measure_speed(
    model: FlamingoForConditionalGeneration,
    task: SpeedTask,
    progress: Callable[[], object] = lambda: None,
) -> Speed:
    """Asks a model in each of the ways that there are, round by round, and takes the time.

    The ways take turns, so that whatever else a machine does troubles all of them alike.

    Args:
        model: in evaluation mode; it stays as it is.
        task: what is asked.
        progress: is called `num_steps(task)` times.

    Raises:
        SequenceError: the prompts are longer than the model can read.
        ConfigError: the decoding step is to be compiled and cannot be.
    """
    task.check_fits(model)
    answers = TimedAnswers(model, task)
    taken: dict[str, list[_Turn]] = {name: [] for name in _ways(task)}
    for number in range(task.rounds + 1):
        for name, turns in taken.items():
            turn = _turn(answers, name, task.num_batches if number else 1)
            if number:
                turns.append(turn)
            progress()
    peak = peak_bytes_on(model.device, answers.whole)
    progress()
    whole, after, seen = (taken.get(name, []) for name in ("whole", "after", "seen"))
    steps = [turn.step for turn in whole if turn.step is not None]
    return Speed(
        task,
        first_token_seconds=Measured.of([turn.first for turn in whole]),
        first_token_seconds_supports_read=_measured([turn.first for turn in after]),
        token_seconds=_measured(steps),
        queries_per_second=Measured.of([task.queries / turn.seconds for turn in whole]),
        queries_per_second_shared_supports=_measured([task.queries / t.seconds for t in after]),
        queries_per_second_visuals_seen=_measured([task.queries / t.seconds for t in seen]),
        peak_bytes=peak,
        support_cache_bytes=answers.read()[0].nbytes if task.shots else None,
    )


def num_steps(task: SpeedTask) -> int:
    """How often `measure_speed` reports progress."""
    return (task.rounds + 1) * len(_ways(task)) + 1


@dataclass(frozen=True)
class _Turn:
    """All queries in one way.

    Attributes:
        seconds: that they took together.
        first: seconds to a batch's first token, the median of the batches.
        step: seconds from token to token, the median of all of them; None where there is no second.
    """

    seconds: float
    first: float
    step: float | None


def _ways(task: SpeedTask) -> tuple[str, ...]:
    return ("whole", "after", "seen") if task.shots else ("whole",)


def _turn(answers: TimedAnswers, way: str, num_batches: int) -> _Turn:
    seconds = 0.0
    if way == "after":
        supports, seconds = answers.read()
        batches = [answers.after(supports) for _ in range(num_batches)]
    else:
        ask = answers.whole if way == "whole" else answers.seen
        batches = [ask() for _ in range(num_batches)]
    steps = [later - sooner for moments in batches for sooner, later in pairwise(moments)]
    return _Turn(
        seconds + sum(moments[-1] for moments in batches),
        median(moments[0] for moments in batches),
        median(steps) if steps else None,
    )


def _measured(rounds: Sequence[float]) -> Measured | None:
    return Measured.of(rounds) if rounds else None
