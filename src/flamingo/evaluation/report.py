"""The files in which an evaluation is told: results.json, summary.json and table.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from flamingo.evaluation.beyond import falls
from flamingo.evaluation.cell import Cell
from flamingo.evaluation.json_file import read_json
from flamingo.evaluation.results import means
from flamingo.evaluation.table import markdown_table
from flamingo.foundation.errors import ConfigError, DataError
from flamingo.foundation.records import from_plain, json_text, to_plain, write_text_atomically

RESULTS, SUMMARY, TABLE = "results.json", "summary.json", "table.md"


def write_report(folder: Path, cells: Sequence[Cell], about: Mapping[str, Any]) -> None:
    """Writes all three, each whole or not at all.

    Args:
        folder: of the evaluation.
        cells: those that are complete.
        about: what the summary is to say besides the means.
    """
    summary = {
        **about,
        "means_above_chance": to_plain(means(cells)),
        "worse_with_more_shots": to_plain({t: own for t, own in falls(cells).items() if own}),
    }
    write_text_atomically(folder / RESULTS, json_text([to_plain(cell) for cell in cells]))
    write_text_atomically(folder / SUMMARY, json_text(summary))
    heading = protocol_heading(about)
    table = markdown_table(cells)
    write_text_atomically(folder / TABLE, f"{heading}\n\n{table}" if heading else table)


def protocol_heading(about: Mapping[str, Any]) -> str:
    """Whose protocol was followed, as a sentence; "" for our own.

    Args:
        about: what the summary says.
    """
    if "protocol" not in about:
        return ""
    return f"Asked by the protocol that was published for {about['protocol']}, faults and all."


def is_reported(folder: Path, cells: Sequence[Cell]) -> bool:
    """Whether the folder tells of all these cells already.

    Raises:
        DataError: its results are damaged.
    """
    path = folder / RESULTS
    if not path.exists() or not (folder / SUMMARY).exists():
        return False
    told = read_json(path, list)
    return all(to_plain(cell) in told for cell in cells)


def seconds_before(folder: Path) -> float:
    """How long earlier runs into this folder took, as far as they came to note it.

    Raises:
        DataError: its summary is damaged.
    """
    return float(_summary(folder).get("seconds", 0.0))


def commands_before(folder: Path) -> list[str]:
    """The commands that gave the answers of this folder, in their order.

    Raises:
        DataError: its summary is damaged.
    """
    told = _summary(folder).get("command", [])
    # One text where only the last command was noted.
    return [told] if isinstance(told, str) else list(told)


def cells_before(folder: Path) -> list[Cell]:
    """The cells that earlier runs into this folder completed.

    Raises:
        DataError: its results are damaged.
    """
    path = folder / RESULTS
    try:
        return [from_plain(Cell, one) for one in read_json(path, list)] if path.exists() else []
    except ConfigError as error:
        raise DataError(
            f"{path} is damaged, or of another version: {error}\n"
            "Remove it and give the command again, which writes it anew from the predictions."
        ) from error


def sources_before(folder: Path) -> dict[str, Any]:
    """By task how earlier runs opened it.

    Raises:
        DataError: its summary is damaged.
    """
    found: dict[str, Any] = _summary(folder).get("sources", {})
    return found


def _summary(folder: Path) -> dict[str, Any]:
    path = folder / SUMMARY
    return read_json(path, dict) if path.exists() else {}


def machine(device: torch.device, num_processes: int) -> dict[str, Any]:
    """What the numbers were computed on.

    Args:
        device: of the model.
        num_processes: each with one thread, where the device is the CPU.
    """
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "processes": num_processes,
        "threads_per_process": torch.get_num_threads(),
    }


def _cpu() -> str:
    """The processor's name: the system's short one is "x86_64" on all of them."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()
