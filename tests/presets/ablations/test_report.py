"""The files of the table, from results that were made up."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from flamingo.presets.ablations.report import write_tables
from flamingo.presets.ablations.rows import ROWS
from flamingo.presets.ablations.table import Entry, Found, entries
from tests.presets.ablations.test_comparison import drawn, result

ABOUT: dict[str, Any] = {
    "command": "flamingo ablate",
    "date": "2026-01-01",
    "machine": {"cpu": "a processor", "device": "cpu"},
    "processes": 2,
    "seeds": 1,
    "config": {"steps": 5, "batch_scale": 0.5, "queries": 60, "shots": 4},
    "next_share": 0.0,
    "failures": {"grafting, seed 0": "it diverged"},
}


def table() -> list[Entry]:
    return entries(
        [
            Found(ROWS["baseline"], [result({"a": drawn(0.9, 60, 1)})]),
            Found(ROWS["no-tanh-gate"], [result({"a": drawn(0.3, 60, 2)})], learning_rate=0.5),
            Found(ROWS["grafting"], []),
            Found(ROWS["p-next-0"], [result({"a": drawn(0.9, 60, 1)})], is_baseline=True),
        ],
        next_share=0.0,
    )


def test_the_table_is_told_three_times(tmp_path: Path) -> None:
    write_tables(tmp_path, table(), ABOUT)
    plain = json.loads((tmp_path / "table.json").read_text())
    directions = {row["row"]: row["direction"] for row in plain["rows"]}
    assert directions == {
        "baseline": None,
        "no-tanh-gate": "agrees",
        "grafting": None,
        "p-next-0": None,
    }
    text = (tmp_path / "table.md").read_text()
    assert "- grafting, seed 0: it diverged" in text
    assert "0.5 times that" in text
    assert "the same settings as the baseline" in text
    assert (tmp_path / "table.png").read_bytes().startswith(b"\x89PNG")


def test_every_line_of_a_table_has_all_its_columns(tmp_path: Path) -> None:
    write_tables(tmp_path, table(), ABOUT)
    blocks = (tmp_path / "table.md").read_text().split("\n\n")
    tables = [block.splitlines() for block in blocks if block.startswith("| ")]
    assert len(tables) == 3
    for lines in tables:
        assert len(lines) == 2 + len(table())
        assert len({line.count("|") for line in lines}) == 1


def test_without_matplotlib_the_picture_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    write_tables(tmp_path, table(), ABOUT)
    assert "table.png is left out" in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"table.json", "table.md"}
