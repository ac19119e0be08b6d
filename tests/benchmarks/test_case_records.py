"""A file of cases keeps what was measured before, and documents what was written around it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.case_records import (
    Case,
    markdown,
    merged,
    read_records,
    table,
    write_markdown,
    write_records,
)

ABOUT = {
    "command": "python -m benchmarks.against_peers",
    "date": "2026-01-02",
    "machine": {"cpu": "a processor", "device": "cpu", "threads_per_process": 1},
    "torch": "2",
    "transformers": "5",
}


def case(name: str, ratio: float = 3.0, **more: Any) -> Case:
    given = {"goal": 2.0, "spread": (2.5, 3.5), "what": "a thing", "ours": 1.0, "peer": 3.0}
    return Case(name, ratio, **{**given, "unit": "s", "against": "a peer", **more})


def test_the_first_keys_are_those_that_are_asked_for() -> None:
    record = case("one").record(**ABOUT)
    assert list(record)[:6] == ["case", "ratio", "goal", "reached", "spread", "command"]
    assert record["spread"] == [2.5, 3.5]
    assert record["date"] == "2026-01-02"


@pytest.mark.parametrize(("ratio", "is_reached"), [(3.0, True), (2.0, True), (1.0, False)])
def test_a_goal_is_the_least_or_the_most(ratio: float, is_reached: bool) -> None:
    assert case("one", ratio).reached is is_reached
    lower = case("one", ratio, is_higher_better=False)
    assert lower.reached is (ratio == 2.0 or not is_reached)


def test_a_group_replaces_its_own_and_keeps_the_order(tmp_path: Path) -> None:
    order, path = ["first", "second"], tmp_path / "cases.json"
    assert read_records(path) == []
    old = [case(name).record(**ABOUT) for name in ("first/a", "first/b", "second")]
    write_records(path, merged([], old[::-1], order))
    new = [case("first/c", 5.0).record(**ABOUT)]
    write_records(path, merged(read_records(path), new, order))
    assert [(one["case"], one["ratio"]) for one in read_records(path)] == [
        ("first/c", 5.0),
        ("second", 3.0),
    ]
    assert merged(old, [], order) == old


def test_tables_say_what_was_reached_and_how() -> None:
    records = [
        case("good", note="By luck.").record(**ABOUT),
        case("bad", is_higher_better=False).record(**ABOUT),
    ]
    lines = table(records).splitlines()
    assert "goal >= 2.00: reached" in lines[0]
    assert "By luck." in lines[1]
    assert "goal <= 2.00: NOT REACHED" in lines[2]
    rows = markdown(records).splitlines()
    assert (
        "| good | a thing. By luck. | 1 s | a peer: 3 | 3.00 (2.50–3.50) | ≥ 2.00 | yes |" in rows
    )
    assert "| bad | a thing | 1 s | a peer: 3 | 3.00 (2.50–3.50) | ≤ 2.00 | no |" in rows
    # Both were measured in the same way.
    assert len([row for row in rows if row.startswith("Measured by")]) == 1


def test_a_document_keeps_what_stands_around_its_table(tmp_path: Path) -> None:
    path = tmp_path / "performance.md"
    records = [case("one").record(**ABOUT)]
    path.write_text("# Performance\n", encoding="utf-8")
    write_markdown(path, records)
    path.write_text(path.read_text(encoding="utf-8") + "Behind.\n", encoding="utf-8")
    write_markdown(path, [case("two").record(**ABOUT)])
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# Performance\n")
    assert text.endswith("Behind.\n")
    assert "| two |" in text
    assert "| one |" not in text
    write_markdown(tmp_path / "new.md", records)
    assert "| one |" in (tmp_path / "new.md").read_text(encoding="utf-8")
