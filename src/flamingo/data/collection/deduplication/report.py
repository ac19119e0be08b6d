"""What deduplication has found, for people: counts, and the largest groups with addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from flamingo.data.collection.deduplication.decisions import RULES, Decisions
from flamingo.data.collection.deduplication.groups import Found

_NUM_GROUPS, _NUM_EXAMPLES = 5, 3
_LONGEST_ADDRESS = 300
_PLURALS = {"page": "pages", "image": "images", "text": "texts"}


def report(decisions: Decisions) -> dict[str, Any]:
    """All of it in plain data.

    `rules` has for each rule what it was about (`what`), whether that is out (`removes`), how many
    it has `found`, in how many `groups`, and the `largest` of these: how many were found in it
    (`found`), what stands for it (`like`: what stays, the first of those that go, or the image of
    the benchmark), and `examples` of what was found, each with the number that decided.
    """
    corpus = decisions.corpus
    is_out = {
        what: np.zeros(num, np.bool_)
        for what, num in (
            ("page", corpus.num_pages),
            ("image", int(corpus.image_starts[-1])),
            ("text", int(corpus.text_starts[-1])),
        )
    }
    for rule, found in decisions.found.items():
        if decisions.removes(rule):
            is_out[RULES[rule]][found.rows] = True
    gone = is_out["page"]
    with_pages = {
        "image": int(np.diff(corpus.image_starts)[gone].sum()),
        "text": int(np.diff(corpus.text_starts)[gone].sum()),
    }
    is_out["image"] &= ~np.repeat(gone, np.diff(corpus.image_starts))
    is_out["text"] &= ~np.repeat(gone, np.diff(corpus.text_starts))
    told: dict[str, Any] = {}
    for what, mask in is_out.items():
        told[_PLURALS[what]] = {"in": len(mask), "out": int(mask.sum())}
        if what in with_pages:
            told[_PLURALS[what]]["out_with_pages"] = with_pages[what]
    told["rules"] = {rule: _of_rule(decisions, rule) for rule in decisions.found}
    if "benchmark-image" in decisions.found:
        told["benchmarks"] = _benchmarks(decisions)
    return told


def report_lines(told: Mapping[str, Any]) -> list[str]:
    """The same, for a terminal."""
    lines = []
    for name in _PLURALS.values():
        counts = told[name]
        line = f"{name:<7} {counts['in']:>12,}: {counts['out']:,} out"
        if "out_with_pages" in counts:
            line += f", and {counts['out_with_pages']:,} with their pages"
        lines.append(line)
    for rule, one in told["rules"].items():
        does = "out" if one["removes"] else "only told"
        of_what = _PLURALS[one["what"]]
        lines.append(f"{rule:<20} {one['found']:>10,} {of_what} {does}, {one['groups']:,} groups")
        for group in one["largest"]:
            lines.append(f"    {group['found']:,} like {group['like']}")
            lines += [f"        {name}: {score:g}" for name, score in group["examples"]]
    for name, one in told.get("benchmarks", {}).items():
        lines.append(
            f"benchmark {name}: {one['images']:,} images, {one['exact']:,} of the corpus have "
            f"their pixels and {one['near']:,} more look like them"
        )
    return lines


def _of_rule(decisions: Decisions, rule: str) -> dict[str, Any]:
    found = decisions.found[rule]
    likes, counts = np.unique(found.likes, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_NUM_GROUPS]
    return {
        "what": RULES[rule],
        "removes": decisions.removes(rule),
        "found": len(found),
        "groups": len(likes),
        "largest": [
            {
                "found": int(counts[number]),
                "like": _like(decisions, rule, int(likes[number])),
                "examples": _examples(decisions, rule, found, int(likes[number])),
            }
            for number in order.tolist()
        ],
    }


def _like(decisions: Decisions, rule: str, row: int) -> str:
    if rule == "benchmark-image":
        assert decisions.benchmarks is not None
        return decisions.benchmarks.name(row)
    return _name(decisions, rule, row)


def _examples(decisions: Decisions, rule: str, found: Found, like: int) -> list[list[Any]]:
    rows = np.flatnonzero((found.likes == like) & (found.rows != like))[:_NUM_EXAMPLES]
    return [
        [_name(decisions, rule, int(found.rows[row])), round(float(found.scores[row]), 3)]
        for row in rows.tolist()
    ]


def _name(decisions: Decisions, rule: str, row: int) -> str:
    place = decisions.place(rule, row)
    address = decisions.corpus.address(place)[:_LONGEST_ADDRESS]
    return address if RULES[rule] == "page" else f"{RULES[rule]} {place.part} of {address}"


def _benchmarks(decisions: Decisions) -> dict[str, dict[str, int]]:
    known, found = decisions.benchmarks, decisions.found["benchmark-image"]
    assert known is not None
    is_exact = decisions.corpus.images("pixels")[found.rows] == known.pixels[found.likes]
    owners = known.set_of[found.likes]
    return {
        name: {
            "images": int((known.set_of == number).sum()),
            "exact": int((is_exact & (owners == number)).sum()),
            "near": int((~is_exact & (owners == number)).sum()),
        }
        for number, name in enumerate(known.sets)
    }
