"""`flamingo inspect preset NAME`: what a model is made of, beside what the paper prints."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from flamingo.presets.models import MODELS, ModelPreset, model_preset

if TYPE_CHECKING:
    from flamingo.presets.parameter_table import Row


def add_parser(subparsers: Any) -> None:
    """Adds the verb `inspect` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "inspect",
        help="print what a model is made of",
        description="Counts a model's parameters, part by part.",
    )
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True)
    preset = kinds.add_parser(
        "preset",
        help="a model of the paper, without allocating memory for it",
        description="Builds a model of the paper without allocating memory for it, and prints "
        "its parameters beside the figures of the paper.",
    )
    preset.add_argument("name", metavar="NAME", help=f"one of {', '.join(MODELS)}")
    preset.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Prints the table.

    Raises:
        ConfigError: there is no such preset.
    """
    preset = model_preset(args.name)
    # Imported here: each verb loads what it needs, and no other does.
    from flamingo.presets.from_preset import build_preset
    from flamingo.presets.parameter_table import PRINTED, parameter_table

    rows = parameter_table(build_preset(preset), PRINTED.get(preset.name))
    print(as_json(preset, rows) if args.json else as_text(preset, rows))
    return 0


def as_json(preset: ModelPreset, rows: list[Row]) -> str:
    """One object: the preset's name and note, and a list with one object per part."""
    parts = [
        {
            "part": row.part,
            "parameters": row.num_parameters,
            "trainable": row.num_trainable,
            "paper": row.printed,
            "difference_percent": None if row.difference is None else 100 * row.difference,
        }
        for row in rows
    ]
    return json.dumps({"preset": preset.name, "note": preset.note, "parts": parts}, indent=2)


def as_text(preset: ModelPreset, rows: list[Row]) -> str:
    """A table for people."""
    language_model = preset.language_model
    heading = (
        f"{preset.name} ({preset.printed_as} in the paper): {language_model.num_layers} language "
        f"model layers of width {language_model.dim}, a gated layer before "
        f"{_every(preset.every)} ({preset.num_gated_layers})"
    )
    columns = f"{'part':<26}{'parameters':>16}  {'training':<10}{'paper':>7}{'difference':>12}"
    lines = [heading, "", columns, "-" * len(columns), *map(_line, rows)]
    notes = ["", preset.note] if preset.note else []
    return "\n".join([*lines, *notes])


def _line(row: Row) -> str:
    printed = "" if row.printed is None else _short(row.printed)
    difference = "" if row.difference is None else f"{100 * row.difference:+.1f} %"
    return (
        f"{row.part:<26}{row.num_parameters:>16,}  {row.training:<10}{printed:>7}{difference:>12}"
    ).rstrip()


def _short(count: int) -> str:
    return f"{count / 1e9:g}B" if count >= 1e9 else f"{count / 1e6:g}M"


def _every(every: int) -> str:
    return "each one" if every == 1 else f"the first and every {every}th after it"
