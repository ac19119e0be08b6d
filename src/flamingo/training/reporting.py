"""What a run says while it goes: a progress bar or lines, and one JSON line per report."""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn
from tqdm import tqdm

from flamingo.data.skipping import Skipped
from flamingo.foundation.records import write_text_atomically
from flamingo.training.accumulation import SourceLoss
from flamingo.training.config import TrainingConfig
from flamingo.training.curves import Curves, no_curves


@dataclass(frozen=True)
class StepReport:
    """What is known right after an update.

    Args:
        step: updates made so far, this one included.
        model: the model after it.
        losses: per source, before weighting by λ.
        learning_rate: of this update.
        gradient_norm: before clipping.
        wait_seconds: time spent waiting for data.
    """

    step: int
    model: nn.Module
    losses: Mapping[str, SourceLoss]
    learning_rate: float
    gradient_norm: float
    wait_seconds: float = 0.0


Probe = Callable[[StepReport], "Mapping[str, float] | Mapping[str, str] | None"]
"""Looks at a run after every update; what it returns stands in the log, numbers and texts."""


@dataclass
class _Window:
    """Sums since the last line of the log."""

    losses: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    metrics: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    num_steps: int = 0
    num_tokens: int = 0
    num_frames: int = 0
    wait_seconds: float = 0.0
    start: float = field(default_factory=time.perf_counter)


class Reporter:
    """Writes `log.jsonl`, and a progress bar where a person looks, lines where none does.

    Args:
        path: the log; it is continued, without lines from after `first_step`.
        config: of the run.
        first_step: updates already made when the run starts or goes on.
        curves: where the numbers of the log also go.
    """

    def __init__(
        self, path: Path, config: TrainingConfig, first_step: int, curves: Curves = no_curves
    ) -> None:
        self.path, self.config, self.curves = path, config, curves
        self.stream = sys.stderr
        self.has_bar = self.stream.isatty()
        _forget_after(path, first_step)
        self.known_skipped = {
            (record["source"], record["sample"])
            for record in read_log(path)
            if record.get("event") == "skipped"
        }
        self.window = _Window()
        self.bar = tqdm(
            total=config.steps,
            initial=first_step,
            disable=not self.has_bar,
            file=self.stream,
            dynamic_ncols=True,
            unit="step",
        )

    def step(self, report: StepReport, extra: Mapping[str, float | str]) -> None:
        """Takes in one update; writes a line where one is due."""
        for name, source in report.losses.items():
            self.window.losses[name].append(source.loss)
            self.window.num_tokens += source.num_tokens
            self.window.num_frames += source.num_frames
            for metric, value in source.metrics.items():
                self.window.metrics[f"{name}/{metric}"].append(value)
        for metric, found in extra.items():
            if isinstance(found, str):
                self.say(
                    f"{metric}: {found}", "sample", step=report.step, name=metric, written=found
                )
            else:
                self.window.metrics[metric].append(found)
        self.window.num_steps += 1
        self.window.wait_seconds += report.wait_seconds
        self.bar.update()
        if report.step % self.config.log_every == 0 or report.step == self.config.steps:
            self._write(report)

    def skipped(self, source: str, skipped: Skipped) -> None:
        """Names a sample that could not be used, the first time that it is met."""
        key = (source, skipped.sample)
        if key in self.known_skipped:
            return
        self.known_skipped.add(key)
        self.say(
            f"Skipped in {source}: {skipped.sample}: {skipped.reason}",
            "skipped",
            source=source,
            sample=skipped.sample,
            reason=skipped.reason,
        )

    def validation(self, step: int, losses: Mapping[str, float]) -> None:
        """The losses of the validation sources after an update."""
        told = ", ".join(f"{name} {loss:.4g}" for name, loss in losses.items())
        self.say(f"Validation after {step} steps: {told}", "validation", step=step, losses=losses)
        self.curves(step, {f"validation/{name}": loss for name, loss in losses.items()})

    def say(self, text: str, event: str = "note", **values: Any) -> None:
        """A sentence for the person and an event in the log."""
        append_line(self.path, {"event": event, "message": text, **values})
        self._print(text)

    def close(self) -> None:
        """Leaves the bar as it stands."""
        self.bar.close()

    def _write(self, report: StepReport) -> None:
        window, self.window = self.window, _Window()
        seconds = max(self.window.start - window.start, 1e-9)
        losses = {name: _mean(values) for name, values in window.losses.items()}
        tokens_per_second, data_wait = window.num_tokens / seconds, window.wait_seconds / seconds
        frames_per_second = window.num_frames / seconds
        line = {
            "step": report.step,
            "loss": losses,
            "learning_rate": report.learning_rate,
            "gradient_norm": report.gradient_norm,
            "tokens_per_second": tokens_per_second,
            "frames_per_second": frames_per_second,
            "seconds_per_step": seconds / window.num_steps,
            "data_wait": min(data_wait, 1.0),
            "skipped": len(self.known_skipped),
            "metrics": {name: _mean(values) for name, values in window.metrics.items()},
        }
        append_line(self.path, line)
        self.curves(report.step, _flat(line))
        parts = [f"{name} {loss:.4g}" for name, loss in losses.items()]
        parts.append(f"{tokens_per_second:,.0f} tokens/s")
        if window.num_frames:
            parts.append(f"{frames_per_second:,.0f} images/s")
        if self.known_skipped:
            parts.append(f"{len(self.known_skipped)} skipped")
        if data_wait > 0.05:
            parts.append(f"{data_wait:.0%} waiting for data")
        if self.has_bar:
            self.bar.set_postfix_str(", ".join(parts))
        else:
            self._print(f"step {report.step}/{self.config.steps}: {', '.join(parts)}")

    def _print(self, text: str) -> None:
        if self.has_bar:
            self.bar.write(text, file=self.stream)
        else:
            print(text, file=self.stream, flush=True)


class SilentReporter(Reporter):
    """For all processes but the first."""

    def __init__(self) -> None:
        """Opens nothing."""

    def step(self, report: StepReport, extra: Mapping[str, float | str]) -> None:
        """Says nothing."""

    def skipped(self, source: str, skipped: Skipped) -> None:
        """Says nothing."""

    def validation(self, step: int, losses: Mapping[str, float]) -> None:
        """Says nothing."""

    def say(self, text: str, event: str = "note", **values: Any) -> None:
        """Says nothing."""

    def close(self) -> None:
        """Closes nothing."""


def append_line(path: Path, record: Mapping[str, Any]) -> None:
    """Adds one JSON line to a file."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record, ensure_ascii=False) + "\n")


def read_log(path: Path) -> list[dict[str, Any]]:
    """The records of a log; a last line that a crash cut short is left out."""
    records = []
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for line in lines:
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return records


def _forget_after(path: Path, step: int) -> None:
    """Steps that a killed run made after its last checkpoint are made, and logged, again."""
    records = [record for record in read_log(path) if record.get("step", 0) <= step]
    text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    write_text_atomically(path, text)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _flat(line: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a line of the log by one name each."""
    flat: dict[str, float] = {}
    for name, value in line.items():
        if isinstance(value, Mapping):
            prefix = "" if name == "metrics" else f"{name}/"
            flat |= {f"{prefix}{key}": number for key, number in value.items()}
        elif name != "step":
            flat[name] = value
    return flat
