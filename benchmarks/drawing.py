"""How fast is the world drawn? Scenes, clips and glyphs per second of one core, and the tasks.

    python -m benchmarks.drawing --json drawing.json

Each kind is drawn many times in rounds; a round gives one speed, and the median over rounds stands
beside the slowest and the fastest one. Seconds are those of the processor: others on the machine
do not slow them much. A clip is eight images, a picture is one. With each few-shot task whole
episodes are drawn, text and choices included.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from flamingo.evaluation.report import machine
from flamingo.foundation.devices import pick_device
from flamingo.foundation.randomness import generator
from flamingo.foundation.records import json_text
from flamingo.miniature.glyphs import draw_glyph
from flamingo.miniature.render import render_clip, render_scene
from flamingo.miniature.scene import random_clip, random_scene
from flamingo.miniature.tasks import TASKS, FewShotTask

Draw = Callable[[np.random.Generator], int]
"""Draws one sample and says how many images it has."""

CHARACTERS = 16
SHOTS = 7


@dataclass(frozen=True)
class Speed:
    """Over rounds, per second of one core.

    Attributes:
        name: what was drawn.
        images_per_sample: on average.
        samples: per second, the median.
        slowest: of the rounds.
        fastest: of the rounds.
        images: per second, the median.
        rounds: how many there were.
        samples_per_round: drawn in each.
    """

    name: str
    images_per_sample: float
    samples: float
    slowest: float
    fastest: float
    images: float
    rounds: int
    samples_per_round: int


def scene(rng: np.random.Generator) -> int:
    """A picture of one to four things."""
    render_scene(random_scene(rng), rng)
    return 1


def clip(rng: np.random.Generator) -> int:
    """Eight frames of one thing."""
    return len(render_clip(random_clip(rng), rng))


def glyph(rng: np.random.Generator) -> int:
    """A character of an alphabet that is new nearly every time: no stroke is remembered."""
    draw_glyph(int(rng.integers(1_000_000)), int(rng.integers(CHARACTERS)), rng)
    return 1


KINDS: Mapping[str, Draw] = {"scenes": scene, "clips": clip, "glyphs": glyph}


def episodes_of(task: FewShotTask) -> Draw:
    """Draws an episode of a task: seven shots and the query."""

    def draw(rng: np.random.Generator) -> int:
        episode = task.build(int(rng.integers(1_000_000)), 0, SHOTS)
        return sum(visual.num_frames for visual in task.prompt(episode).visuals)

    return draw


def speed(name: str, draw: Draw, rounds: int, num_samples: int) -> Speed:
    """How fast `draw` is, after a round that is not measured."""
    rates, images = [], 0
    for number in range(rounds + 1):
        rng = generator("drawing benchmark", name, number)
        begin = time.process_time()
        drawn = sum(draw(rng) for _ in range(num_samples))
        seconds = time.process_time() - begin
        if number > 0:
            images += drawn
            # The processor's clock has steps, which a very short round does not reach.
            rates.append(num_samples / max(seconds, 1e-6))
    per_sample = images / (rounds * num_samples)
    middle = median(rates)
    return Speed(
        name=name,
        images_per_sample=per_sample,
        samples=middle,
        slowest=min(rates),
        fastest=max(rates),
        images=middle * per_sample,
        rounds=rounds,
        samples_per_round=num_samples,
    )


def measure(rounds: int, num_samples: int, tasks: Mapping[str, FewShotTask]) -> dict[str, Any]:
    """All kinds, and the episodes of the tasks; of those there are fewer, as each has eight."""
    num_episodes = max(1, num_samples // (SHOTS + 1))
    return {
        "machine": machine(pick_device("cpu"), num_processes=1),
        "kinds": [speed(name, draw, rounds, num_samples) for name, draw in KINDS.items()],
        "episodes": [
            speed(name, episodes_of(task), rounds, num_episodes) for name, task in tasks.items()
        ],
    }


def report(found: Mapping[str, Any]) -> str:
    """The measurements, for people."""
    lines = [f"per second of one core of {found['machine']['cpu']}; median (slowest to fastest)"]
    for part in ("kinds", "episodes"):
        for one in found[part]:
            what = one.name if part == "kinds" else f"episodes of {one.name}"
            lines.append(
                f"{what:<28} {one.samples:>8.0f} ({one.slowest:.0f} to {one.fastest:.0f}), "
                f"{one.images:.0f} images, {one.rounds} rounds of {one.samples_per_round}"
            )
    return "\n".join(lines)


def main() -> None:
    """Prints the measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--samples", type=int, default=400, help="of each kind in a round")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    found = measure(args.rounds, args.samples, TASKS)
    print(report(found))
    if args.json:
        about = {
            "command": shlex.join(["python", "-m", "benchmarks.drawing", *sys.argv[1:]]),
            "date": datetime.now(UTC).date().isoformat(),
        }
        args.json.write_text(json_text({**about, **found}), encoding="utf-8")


if __name__ == "__main__":
    main()
