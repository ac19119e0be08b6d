"""What a person sees while arms run: a line per arm, and a bar with the time that is left."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tqdm import tqdm

from flamingo.evaluation.prediction_files import PREDICTIONS
from flamingo.presets.ablations.arms import Arm
from flamingo.presets.ablations.execution import SCORES
from flamingo.presets.ablations.processes import Watch
from flamingo.presets.ablations.result import result_in
from flamingo.training.reporting import append_line, read_log
from flamingo.training.trainer import LOG

PROGRESS = "progress.jsonl"
_TRAINING = 0.75
"""The part of an arm's time that training takes, about."""


class Progress(Watch):
    """Prints, notes events in `progress.jsonl`, and calls back when an arm has finished.

    Args:
        folder: of the ablation.
        total: arms in all.
        done: of them, how many were finished before.
        on_finished: called after every arm that finishes.
    """

    def __init__(
        self, folder: Path, total: int, done: int, on_finished: Callable[[], object] = lambda: None
    ) -> None:
        self.path, self.on_finished = folder / PROGRESS, on_finished
        self.total, self.num_before, self.num_done = total, done, done
        self.start, self.began = time.monotonic(), dict[Path, float]()
        self.bar = tqdm(
            total=total,
            initial=done,
            unit="arm",
            disable=not sys.stderr.isatty(),
            smoothing=0,
            dynamic_ncols=True,
            bar_format="{percentage:3.0f}%|{bar}| {n:.2f}/{total} [{elapsed}<{remaining}]{postfix}",
        )

    def started(self, arm: Arm) -> None:
        """Notes when."""
        self.began[arm.folder] = time.monotonic()
        self._note(arm, "started")

    def running(self, arms: Sequence[Arm]) -> None:
        """Moves the bar by parts of an arm."""
        if self.bar.disable:
            return
        now = self.num_done + sum(fraction(arm) for arm in arms)
        self.bar.set_postfix_str(", ".join(map(str, arms)), refresh=False)
        self.bar.update(max(0.0, now - self.bar.n))

    def finished(self, arm: Arm) -> None:
        """A line with the score."""
        self.num_done += 1
        result = result_in(arm.folder)
        score = f"mean above chance {result.overall:.1f}" if result and result.right else "trained"
        self._say(arm, f"{score}, {self._seconds(arm):.0f} s")
        self._note(arm, "finished", seconds=self._seconds(arm))
        self.on_finished()

    def failed(self, arm: Arm, reason: str) -> None:
        """A line with the reason."""
        self.num_done += 1
        self._say(arm, f"failed: {reason}")
        self._note(arm, "failed", reason=reason)

    def close(self) -> None:
        """Leaves the bar as it stands."""
        self.bar.close()

    def _seconds(self, arm: Arm) -> float:
        return round(time.monotonic() - self.began[arm.folder], 1)

    def _say(self, arm: Arm, text: str) -> None:
        told = f"[{self.num_done}/{self.total}] {arm}: {text}"
        if self.bar.disable:
            print(f"{told}; {self._left()}", file=sys.stderr, flush=True)
        else:
            self.bar.write(told, file=sys.stderr)

    def _left(self) -> str:
        """For who sees no bar."""
        spent = time.monotonic() - self.start
        left = (self.total - self.num_done) * spent / max(self.num_done - self.num_before, 1)
        return f"about {left / 60:.0f} min left"

    def _note(self, arm: Arm, event: str, **values: object) -> None:
        record = {"event": event, "arm": str(arm), "folder": str(arm.folder), "at": time.time()}
        append_line(self.path, {**record, **values})


def fraction(arm: Arm) -> float:
    """How much of an arm is done, by what is in its folder."""
    steps = [line["step"] for line in read_log(arm.folder / LOG)[-3:] if "step" in line]
    trained = max(steps, default=0) / arm.recipe.config.training.steps
    if arm.sweep is None:
        return trained
    path = arm.folder / SCORES / PREDICTIONS
    answered = path.read_bytes().count(b"\n") if path.exists() else 0
    return _TRAINING * trained + (1 - _TRAINING) * answered / len(arm.sweep)
