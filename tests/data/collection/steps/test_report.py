"""Reports count right, and come out the same whichever way they are put together."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamingo.data.collection.pages import Outcome, Page, Removal, TextNode
from flamingo.data.collection.steps.image_sizes import ImageSize
from flamingo.data.collection.steps.report import (
    Counts,
    StepReport,
    merge_reports,
    without_numbers,
)
from flamingo.data.collection.steps.word_counts import NumberOfWords
from flamingo.foundation.errors import ConfigError, DataError
from flamingo.foundation.records import json_text
from tests.data.collection.steps.pages_for_steps import image, page, text

REMOVALS = st.tuples(
    st.sampled_from(["page", "image", "text"]),
    st.sampled_from(["too small: 3, at least 4", "too small: 2, at least 4", "too loud"]),
    st.sampled_from(["a", "b", "c", "d", "\ud800", "e" * 300]),
)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["one", "two", "three", "\udfff"]),
        st.lists(st.integers(0, 5), max_size=3),
        st.sampled_from(["as it was", "out", "less"]),
        st.lists(REMOVALS, max_size=4),
    ),
    max_size=6,
)
"""Pages, and what a step has made of them."""

Events = list[tuple[str, list[int], str, list[Any]]]


def report_on(events: Events) -> StepReport:
    report = StepReport("step", "source", num_examples=2)
    for address, lengths, result, removals in events:
        nodes = tuple(TextNode("word " * num) for num in lengths)
        before = Page(address, "", nodes)
        results = {"as it was": before, "out": None, "less": before.with_nodes(nodes[1:])}
        removed = tuple(Removal(*removal) for removal in removals)
        report.add(before, Outcome(results[result], removed))
    return report


def told(report: StepReport) -> str:
    return json.dumps(report.to_plain())


@given(EVENTS, EVENTS)
def test_merging_is_commutative(one: Events, two: Events) -> None:
    a, b = report_on(one), report_on(two)
    assert told(a.merge(b)) == told(b.merge(a))


@given(EVENTS, EVENTS, EVENTS)
def test_merging_is_associative(
    one: Events,
    two: Events,
    three: Events,
) -> None:
    a, b, c = report_on(one), report_on(two), report_on(three)
    assert told(a.merge(b).merge(c)) == told(a.merge(b.merge(c)))


@given(EVENTS, EVENTS)
def test_merged_reports_are_those_of_one_process(one: Events, two: Events) -> None:
    assert told(report_on(one).merge(report_on(two))) == told(report_on([*two, *one]))


@given(EVENTS)
def test_plain_data_is_read_back(several: Events) -> None:
    report = report_on(several)
    text = json_text(report.to_plain())
    text.encode()
    assert StepReport.from_plain(json.loads(text)) == report


def test_what_went_in_and_came_out_is_counted() -> None:
    report = StepReport("image-size", "paper")
    step = ImageSize()
    before = page(text("two", "words"), image(original=(9, 99)), image(original=(99, 99)))
    after = report.add(before, step(before))
    assert after == Counts(1, 1, 2)
    report.add(page(), step(page()))
    assert report.before == Counts(2, 2, 2)
    assert report.after == Counts(2, 1, 2)
    (removed,) = report.removed.values()
    assert (removed.what, removed.reason, removed.num) == (
        "image",
        "a side of # pixels, at least #",
        1,
    )
    (example,) = removed.examples
    assert example.reason == "a side of 9 pixels, at least 64"
    assert example.address == before.address


def test_a_page_that_is_out_takes_all_with_it() -> None:
    report = StepReport("number-of-words")
    before = page(text("one"), image())
    assert report.add(before, NumberOfWords(2)(before)) == Counts()
    assert (report.before, report.after) == (Counts(1, 1, 1), Counts())


def test_counts_from_the_step_before_are_taken() -> None:
    report = StepReport("step")
    before = page(text("one"))
    assert report.add(before, Outcome(before), Counts(1, 2, 3)) == Counts(1, 2, 3)


def test_as_many_examples_are_kept_as_are_asked_for() -> None:
    for num in (0, 1, 3):
        report = StepReport("step", num_examples=num)
        for name in "abcdef":
            before = page(address=name)
            report.add(before, Outcome(None, (Removal("page", "bad", name),)))
        (removed,) = report.removed.values()
        assert removed.num == 6
        assert len(removed.examples) == num


@pytest.mark.parametrize(
    ("reason", "group"),
    [
        ("aspect ratio 4.2, at most 3", "aspect ratio #, at most #"),
        ("24.1% of characters in the top 2-gram", "# of characters in the top 2-gram"),
        ("format jp2, wanted mp3", "format jp2, wanted mp3"),
        ("0 images, at least 1.", "# images, at least #."),
    ],
)
def test_reasons_are_grouped_without_their_numbers(reason: str, group: str) -> None:
    assert without_numbers(reason) == group


def test_rows_of_reports_are_merged_step_by_step() -> None:
    rows = []
    for name in "ab":
        row = [StepReport("one"), StepReport("two")]
        for report in row:
            before = page(address=name)
            report.add(before, Outcome(None, (Removal("page", f"bad {name}", name),)))
        rows.append(row)
    one, two = merge_reports(rows)
    assert (one.name, two.name) == ("one", "two")
    assert two.before.pages == 2
    assert list(two.removed) == ["page: bad a", "page: bad b"]
    assert rows[0][0].before.pages == 1
    assert merge_reports([]) == []


def test_reports_on_other_steps_are_not_merged() -> None:
    with pytest.raises(DataError, match="cannot be merged"):
        StepReport("one").merge(StepReport("two"))
    with pytest.raises(DataError, match="on 1 and on 2 steps"):
        merge_reports([[StepReport("one")], [StepReport("one"), StepReport("two")]])


def test_plain_data_of_another_form_is_said() -> None:
    with pytest.raises(ConfigError, match="nonsense"):
        StepReport.from_plain({"name": "one", "nonsense": 1})
