"""`flamingo evaluate MODEL`: scores a model on tasks, at several numbers of shots."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flamingo.evaluation.cell import Cell
    from flamingo.evaluation.runner import Prediction
    from flamingo.miniature.tasks import FewShotTask


def add_parser(subparsers: Any) -> None:
    """Adds the verb `evaluate` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "evaluate",
        help="score a model on the tasks of the miniature's world",
        description="Scores a model on few-shot tasks. DIR/results.json holds one record per task "
        "and number of shots; every prediction lies beside it, in predictions.jsonl.",
    )
    parser.add_argument("model", metavar="MODEL", help="miniature, a folder, or owner/name")
    parser.add_argument(
        "--tasks", default="all", help="names with commas between them, or dev, held-out, all"
    )
    parser.add_argument("--shots", default="0,4,8,16,32", help="numbers with commas between them")
    parser.add_argument("--queries", type=int, default=100, help="per task and shots (default 100)")
    parser.add_argument("--seed", type=int, default=0, help="of queries and supports (default 0)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the results")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Evaluates, and prints the table.

    Raises:
        FlamingoError: a wrong model, task or number.
    """
    # Imported here: each verb loads what it needs, and no other does.
    from tqdm import tqdm

    from flamingo.evaluation.runner import evaluate
    from flamingo.foundation.errors import ConfigError
    from flamingo.inference.predictor import Predictor

    if args.queries < 1:
        raise ConfigError(f"--queries is {args.queries}, but must be at least 1.")
    tasks = _tasks(args.tasks)
    shots = _numbers(args.shots)
    predictor = Predictor.from_pretrained(args.model)
    cells: list[Cell] = []
    predictions: list[Prediction] = []
    total = len(tasks) * len(shots) * args.queries
    with tqdm(total=total, unit="query", disable=not sys.stderr.isatty()) as bar:
        for task in tasks:
            for number in shots:
                bar.set_description(f"{task.name}, {number} shots")
                cell, found = evaluate(
                    predictor,
                    task,
                    num_shots=number,
                    num_queries=args.queries,
                    seed=args.seed,
                    progress=bar.update,
                )
                cells.append(cell)
                predictions += found
                _write(args.out, cells, predictions)
    print(_table(cells, shots))
    print(f"\nResults and predictions are in {args.out}")
    return 0


def _tasks(text: str) -> list[FewShotTask]:
    from flamingo.miniature.tasks import DEVELOPMENT_TASKS, HELD_OUT_TASKS, TASKS, task_named

    groups = {"dev": DEVELOPMENT_TASKS, "held-out": HELD_OUT_TASKS, "all": tuple(TASKS)}
    return [task_named(name.strip()) for name in groups.get(text, text.split(","))]


def _numbers(text: str) -> list[int]:
    from flamingo.foundation.errors import ConfigError

    try:
        numbers = [int(word) for word in text.split(",")]
    except ValueError:
        numbers = [-1]
    if min(numbers) < 0:
        raise ConfigError(f"--shots is {text!r}, but must be numbers from 0 on, as in 0,4,32.")
    return numbers


def _write(folder: Path, cells: list[Cell], predictions: list[Prediction]) -> None:
    import json

    from flamingo.foundation.records import json_text, to_plain, write_text_atomically

    folder.mkdir(parents=True, exist_ok=True)
    write_text_atomically(folder / "results.json", json_text([to_plain(c) for c in cells]))
    lines = (json.dumps(to_plain(prediction)) for prediction in predictions)
    (folder / "predictions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _table(cells: list[Cell], shots: list[int]) -> str:
    """Accuracy per task and number of shots; half the width of the 95 % interval behind it."""
    lines = [f"{'task':<18}{'':<10}" + "".join(f"{n:>7} shots" for n in shots) + "   chance"]
    for name in dict.fromkeys(cell.task for cell in cells):
        row = [cell for cell in cells if cell.task == name]
        marks = "".join(f"{c.score:>7.1f} ±{(c.high - c.low) / 2:4.1f}" for c in row)
        kind = "held out" if row[0].held_out else "dev"
        lines.append(f"{name:<18}{kind:<10}{marks}{row[0].chance:>9.1f}")
    return "\n".join(lines)
