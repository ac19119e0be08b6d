"""The files of the table, from results that were made up."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flamingo.presets.ablations.markdown import markdown
from flamingo.presets.ablations.plot import plot_differences
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
            Found(ROWS["vision-brief"], [result({"a": drawn(0.3, 60, 2)})]),
            Found(ROWS["vision-small"], [result({"a": drawn(0.7, 60, 3)})]),
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
        "vision-brief": None,
        "vision-small": "disagrees",
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


def test_a_difference_is_to_the_rows_own_reference() -> None:
    """Worse than the baseline, but for its encoder's brief stage, which the control has too."""
    made = {entry.row: entry for entry in table()}
    small, brief = made["vision-small"], made["vision-brief"]
    assert (small.reference, brief.reference) == ("vision-brief", "baseline")
    assert small.overall < made["baseline"].overall
    assert small.difference.mean == pytest.approx(small.overall - brief.overall)
    text = markdown(table(), ABOUT)
    (line,) = (line for line in text.splitlines() if line.startswith("| vision-small | vision enc"))
    assert "| vision-brief | +" in line
    (alone,) = entries([Found(ROWS["vision-small"], [result({"a": "11"})])], next_share=0.0)
    assert (alone.difference, alone.direction) == (None, None)


def test_the_picture_names_a_reference_that_is_not_the_baseline(tmp_path: Path) -> None:
    plot_differences(table(), tmp_path / "table.svg")
    assert "vision-small - vision-brief" in (tmp_path / "table.svg").read_text()


def test_few_seeds_are_noted() -> None:
    def notes(num_seeds: int) -> str:
        rows = [
            Found(ROWS[name], [result({"a": "0110"}, seed) for seed in range(num_seeds)])
            for name in ("baseline", "grafting")
        ]
        return "; ".join(entries(rows, next_share=0.0)[1].notes)

    assert "one seed" in notes(1)
    assert "2 seeds: the interval is still too narrow" in notes(2)
    assert "3 seeds: the interval is still too narrow" in notes(3)
    assert notes(4) == ""


def test_signs_are_not_called_pairs() -> None:
    probes = {"color": 0.9, "first_syllable": 0.5, "last_syllable": 0.25}
    metrics = {f"probe_{name}_held_out": value for name, value in probes.items()}
    encoder = replace(result({}), metrics=metrics)
    (entry,) = entries([Found(ROWS["vision-brief"], (), encoder=encoder)], next_share=0.0)
    told = entry.notes[0]
    assert "held-out pairs: color 90 %; " in told
    assert "held-out signs: first syllable 50 %, last syllable 25 %" in told


@pytest.mark.parametrize(("device", "told"), [("cpu", "a processor"), ("A Card", "A Card")])
def test_the_machine_is_what_the_numbers_were_computed_on(device: str, told: str) -> None:
    about = {**ABOUT, "machine": {"cpu": "a processor", "device": device}}
    assert f"2026-01-01, {told}, 2 processes" in markdown(table(), about)


def test_without_matplotlib_the_picture_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    write_tables(tmp_path, table(), ABOUT)
    assert "table.png is left out" in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"table.json", "table.md"}
