from __future__ import annotations

from flamingo.evaluation.beyond import (
    Fall,
    beyond_markdown,
    beyond_notes,
    beyond_rows,
    fall_note,
    falls,
)
from flamingo.evaluation.cell import Cell


def cell(task: str, shots: int, score: float, control: str = "none") -> Cell:
    return Cell(
        task=task,
        held_out=False,
        shots=shots,
        control=control,
        metric="accuracy",
        score=score,
        low=score - 2,
        high=score + 2,
        n=100,
        chance=0.0,
        above_chance=score,
    )


def curve(task: str, **scores: int) -> list[Cell]:
    return [cell(task, int(shots[1:]), float(score)) for shots, score in scores.items()]


CELLS = [
    *curve("steady", s0=50, s4=60, s8=59, s16=59, s32=58),
    *curve("slow", s32=55, s0=50, s4=60, s8=59, s16=57),
    *curve("early", s0=50, s4=40, s8=60),
    cell("steady", 32, 0.0, "blank"),
]


def test_a_fall_counts_where_it_is_wider_than_half_the_interval() -> None:
    assert falls(CELLS) == {
        "steady": [],
        # From 8 to 16 and to 32 shots it is 2 points only each time.
        "slow": [Fall("slow", 4, 16, 3.0, 2.0), Fall("slow", 4, 32, 5.0, 2.0)],
        "early": [Fall("early", 0, 4, 10.0, 2.0)],
    }


def test_within_training_and_beyond() -> None:
    header, *rows = beyond_rows(CELLS, trained_shots=4)
    assert header[2:] == ["best up to 4 shots", "best beyond 4 shots", "most shots"]
    assert rows[0] == ["steady", "nowhere", "60.0 ±2.0 (4)", "59.0 ±2.0 (8)", "58.0 ±2.0 (32)"]
    assert rows[1][1] == "16 (-3.0), 32 (-5.0)"
    assert beyond_notes(CELLS, 4)[1] == (
        "Of 3 tasks 1 fall only beyond the 4 shots of training (slow), and 1 before (early)."
    )
    assert beyond_notes(CELLS, 4)[1] in beyond_markdown(CELLS, 4)


def test_a_line_for_the_table() -> None:
    assert fall_note(falls(CELLS)) == (
        "Worse with more shots, by more than that: slow at 16, 32 (best at 4); "
        "early at 4 (best at 0)."
    )
    assert fall_note({}) == fall_note({"steady": []}) == ""


def test_a_task_with_one_number_of_shots_cannot_fall() -> None:
    assert falls([cell("one", 32, 5.0)]) == {"one": []}
    assert beyond_rows([cell("one", 32, 5.0)], 4)[1][2:4] == ["", "5.0 ±2.0 (32)"]
