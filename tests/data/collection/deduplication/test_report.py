"""The report counts what each rule has found and shows the largest groups."""

from __future__ import annotations

import json

import numpy as np

from flamingo.data.collection.deduplication import (
    BenchmarkImages,
    DeduplicationSettings,
    report,
    report_lines,
)
from flamingo.data.collection.pages import Page
from tests.data.collection.deduplication.pages_for_tests import (
    decided,
    image,
    look,
    page,
    text,
)

KNOWN = BenchmarkImages(
    sets=("coco", "vqa"),
    keys=("1.jpg", "2.jpg"),
    set_of=np.array([0, 1]),
    pixels=np.array([1, 2], np.uint64),
    looks=np.array([look(1) ^ 1, look(3)], np.uint64),
    has_look=np.ones(2, np.bool_),
)


def pages() -> list[Page]:
    copies = [page(f"https://e.org/{n}", text(30, 0), "Menu", image(f"{n}")) for n in range(5)]
    others = [
        page(f"https://f.org/{n}", text(30, n + 1), "Menu", image("x", look(1))) for n in range(3)
    ]
    twice = [
        page(f"https://g.org/{n}", text(30, n + 9), image("y", look(2)), "z") for n in range(2)
    ]
    return [*copies, *others, *twice]


def test_counts_and_groups() -> None:
    settings = DeduplicationSettings(same_images=False)
    told = report(decided([pages()[:6], pages()[6:]], settings, KNOWN))
    assert told["pages"] == {"in": 10, "out": 4}
    assert told["images"] == {"in": 10, "out": 0, "out_with_pages": 4}
    assert told["texts"] == {"in": 20, "out": 3, "out_with_pages": 8}
    same = told["rules"]["same-text"]
    assert same == {
        "what": "page",
        "removes": True,
        "found": 4,
        "groups": 1,
        "largest": [
            {
                "found": 4,
                "like": "https://e.org/0",
                "examples": [[f"https://e.org/{number}", 0.0] for number in (1, 2, 3)],
            }
        ],
    }
    near = told["rules"]["near-in-corpus"]
    assert (near["found"], near["removes"], near["groups"]) == (3, False, 2)
    assert near["largest"][0]["like"] == "image 0 of https://f.org/0"
    menu = told["rules"]["repeated-paragraph"]
    assert menu["largest"][0]["examples"] == [
        ["text 1 of https://f.org/1", 3.0],
        ["text 1 of https://f.org/2", 3.0],
    ]
    assert told["benchmarks"] == {
        "coco": {"images": 1, "exact": 0, "near": 3},
        "vqa": {"images": 1, "exact": 0, "near": 0},
    }
    assert json.loads(json.dumps(told)) == told


def test_lines_have_every_rule_and_every_benchmark() -> None:
    told = report(decided([pages()], None, KNOWN))
    lines = report_lines(told)
    assert lines[0].split() == ["pages", "10:", "7", "out"]
    for name in (*told["rules"], "benchmark coco", "benchmark vqa"):
        assert any(line.startswith(name) for line in lines), name
    assert any("https://e.org/1" in line for line in lines)


def test_nothing_found_is_told_too() -> None:
    told = report(decided([]))
    assert told["pages"] == {"in": 0, "out": 0}
    assert all(one["found"] == 0 and one["largest"] == [] for one in told["rules"].values())
    assert len(report_lines(told)) == 3 + len(told["rules"])
