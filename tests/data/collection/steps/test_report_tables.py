"""Tables of reports can be read."""

from __future__ import annotations

from flamingo.data.collection.pages import Outcome, Removal
from flamingo.data.collection.steps.report import StepReport
from flamingo.data.collection.steps.report_tables import reasons_table, steps_table
from tests.data.collection.steps.pages_for_steps import image, page, text


def reports() -> list[StepReport]:
    first, second = StepReport("first", "paper"), StepReport("second", "OBELICS")
    for number in range(4):
        before = page(text("two", "words"), image(), address=f"https://example.com/{number}")
        after = before.with_nodes(before.nodes[: 1 + number % 2])
        removals = (Removal("image", f"side {number}, at least 9", "x" * 100),)
        first.add(before, Outcome(after, removals if after != before else ()))
        out = (Removal("page", "bad", after.address),) if number == 3 else ()
        second.add(after, Outcome(None if number == 3 else after, out))
    return [first, second]


def test_a_line_for_each_step() -> None:
    assert steps_table(reports()).splitlines() == [
        "step    pages in        out  images in        out  words in        out  source",
        "first          4          -          4  2 (50.0%)         8          -  paper",
        "second         4  1 (25.0%)          2  1 (50.0%)         8  2 (25.0%)  OBELICS",
    ]


def test_a_line_for_each_reason() -> None:
    header, first, second = reasons_table(reports()).splitlines()
    assert header.split() == ["step", "num", "what", "reason", "example"]
    assert first.split() == [
        "first",
        "2",
        "image",
        "side",
        "#,",
        "at",
        "least",
        "#",
        "x" * 71 + "…",
    ]
    assert second.split() == ["second", "1", "page", "bad", "https://example.com/3"]


def test_nothing_taken_out_is_no_table() -> None:
    assert reasons_table([StepReport("first")]) == ""
    assert len(steps_table([StepReport("first")]).splitlines()) == 2
