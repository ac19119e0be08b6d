from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.foundation.errors import ConfigError
from flamingo.foundation.records import (
    from_plain,
    json_text,
    override,
    read_yaml,
    to_plain,
    write_text_atomically,
    yaml_text,
)


@dataclass(frozen=True)
class Inner:
    rate: float = 1e-4
    kind: Literal["warm", "cold"] = "warm"
    sizes: tuple[int, ...] = (1, 2)
    pair: tuple[float, float] = (0.9, 0.95)


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner = Inner()
    limit: int | None = None
    is_on: bool = False
    where: Path = Path("here")
    weights: dict[str, float] = field(default_factory=dict)
    parts: list[Inner] = field(default_factory=list)


EXAMPLE = Outer("a", Inner(3.0, "cold", (4,)), 5, True, Path("x/y"), {"b": 0.2}, [Inner()])


@pytest.mark.parametrize(("write", "read"), [(json_text, json.loads), (yaml_text, yaml.safe_load)])
def test_a_record_comes_back_as_it_was(write: Any, read: Any) -> None:
    assert from_plain(Outer, read(write(EXAMPLE))) == EXAMPLE


@settings(max_examples=30)
@given(rate=st.floats(allow_nan=False, allow_infinity=False), name=st.text(), limit=st.integers())
def test_any_values_come_back_as_they_were(rate: float, name: str, limit: int) -> None:
    record = Outer(name, Inner(rate), limit)
    assert from_plain(Outer, yaml.safe_load(yaml_text(record))) == record
    assert from_plain(Outer, json.loads(json_text(record))) == record


def test_what_is_left_out_keeps_its_default() -> None:
    assert from_plain(Outer, {"name": "a", "inner": {"rate": 2}}) == Outer("a", Inner(2.0))


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        (
            {"name": "a", "inner": {"ratee": 1}},
            r"no setting 'inner\.ratee'\. Did you mean 'rate'\?",
        ),
        ({}, "'name' is missing"),
        ({"name": 3}, "name should be of type str, not 3"),
        ({"name": "a", "is_on": 1}, "is_on should be of type bool, not 1"),
        ({"name": "a", "limit": 1.5}, "limit should be of type int, not 1.5"),
        (
            {"name": "a", "inner": {"kind": "wram"}},
            r"inner\.kind cannot be 'wram'\. Did you mean 'warm",
        ),
        ({"name": "a", "inner": {"sizes": [1, "b"]}}, r"inner\.sizes\[1\] should be of type int"),
        ({"name": "a", "inner": {"pair": [1]}}, r"inner\.pair needs 2 values, not 1"),
        ({"name": "a", "inner": 3}, "inner should be a section with fields, not 3"),
        ({"name": "a", "inner": {"rate": True}}, r"inner\.rate should be of type float, not True"),
        ({"name": "a", "weights": {"m": "x"}}, r"weights\.m should be of type float, not 'x'"),
    ],
)
def test_what_does_not_fit_is_named(plain: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_plain(Outer, plain)


def test_assignments_are_applied_in_order() -> None:
    words = [
        "inner.rate=1e-3",
        "limit=7",
        "limit=null",
        "inner.sizes=[3]",
        "is_on=true",
        "name=b=c",
    ]
    assert override(Outer("a"), words) == Outer("b=c", Inner(1e-3, sizes=(3,)), is_on=True)


def test_a_whole_section_may_be_assigned() -> None:
    assert override(Outer("a"), ["inner={rate: 2}"]) == Outer("a", Inner(2.0))


@pytest.mark.parametrize(
    ("word", "message"),
    [
        (
            "inner.ratte=1",
            r"no setting 'inner\.ratte'\. Did you mean 'rate'\? Known names: kind, pair",
        ),
        ("iner.rate=1", r"no setting 'iner'\. Did you mean 'inner'"),
        ("limit", "'limit' is not an assignment"),
        ("limit=many", "limit should be of type int, not 'many'"),
        ("name.first=x", r"'name' is a single value; it has no setting 'name\.first'"),
        ("limit=[", "not readable as YAML"),
    ],
)
def test_a_wrong_assignment_is_named(word: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        override(Outer("a"), [word])


@dataclass(frozen=True)
class Shelf:
    kind: Literal["warm", "cold"]
    path: str
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.kind == "cold" and self.weight > 2:
            raise ConfigError("too heavy")


@dataclass(frozen=True)
class House:
    shelves: dict[str, Shelf] = field(default_factory=lambda: {"a": Shelf("warm", "x")})
    weights: dict[str, float] = field(default_factory=dict)
    limits: dict[str, int | None] | None = None
    spare: Shelf | None = None


def test_a_field_of_an_entry_is_replaced() -> None:
    made = override(House(), ["shelves.a.weight=0.2", "shelves.a.path=y"])
    assert made.shelves == {"a": Shelf("warm", "y", 0.2)}
    assert House().shelves["a"].weight == 1.0


def test_a_new_entry_is_made_of_all_that_is_assigned_to_it() -> None:
    words = ["shelves.b.weight=3", "weights.m=0.5", "shelves.b.kind=warm", "shelves.b.path=z"]
    made = override(House(), words)
    assert made.shelves == {"a": Shelf("warm", "x"), "b": Shelf("warm", "z", 3.0)}
    assert made.weights == {"m": 0.5}


def test_fields_that_only_fit_together_may_be_changed_together() -> None:
    heavy = override(House(), ["shelves.a.weight=3"])
    with pytest.raises(ConfigError, match="too heavy"):
        override(heavy, ["shelves.a.kind=cold"])
    made = override(heavy, ["shelves.a.kind=cold", "shelves.a.weight=2"])
    assert made.shelves["a"] == Shelf("cold", "x", 2.0)


def test_null_removes_an_entry() -> None:
    assert override(House(), ["shelves.a=null"]).shelves == {}
    words = ["shelves.b.kind=cold", "shelves.b.path=q"]
    assert override(House(), [*words, "shelves.b=null"]) == House()
    anew = override(House(), ["shelves.a=null", "shelves.a.kind=cold", "shelves.a.path=q"])
    assert anew.shelves == {"a": Shelf("cold", "q")}
    assert from_plain(House, {"shelves": {"a": None}}).shelves == {}


def test_null_is_kept_where_it_is_a_value() -> None:
    assert override(House(limits={}), ["limits.b=null"]).limits == {"b": None}
    assert from_plain(House, {"limits": {"b": None}}).limits == {"b": None}


def test_a_whole_mapping_may_be_assigned_and_an_absent_section_filled() -> None:
    made = override(House(), ["shelves={c: {kind: cold, path: p}}", "shelves.c.weight=2"])
    assert made.shelves == {"c": Shelf("cold", "p", 2.0)}
    assert override(House(), ["spare.kind=cold", "spare.path=p"]).spare == Shelf("cold", "p")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["shelves.a.weigth=1"], r"no setting 'shelves\.a\.weigth'\. Did you mean 'weight'\?"),
        (["shelves.aa.weight=1"], r"no 'shelves\.aa' yet.* needs kind, path.*Did you mean 'a'\?"),
        (["shelves.b.kind=cold"], r"no 'shelves\.b' yet, and a new one also needs path"),
        (["shelves.b=null"], r"no 'shelves\.b' to remove.*Known names: a"),
        (["shelves.a.kind=hot"], r"shelves\.a\.kind cannot be 'hot'"),
        (["shelves.b.kind=warm", "shelves.b.path=3"], r"shelves\.b\.path should be of type str"),
        (["weights.m=heavy"], r"weights\.m should be of type float, not 'heavy'"),
        (["weights.m.n=1"], r"weights\.m should be of type float"),
    ],
)
def test_a_wrong_assignment_to_an_entry_is_named(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        override(House(), words)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no file"):
        read_yaml(tmp_path / "absent.yaml")
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(ConfigError, match=r"bad\.yaml is not readable as YAML"):
        read_yaml(tmp_path / "bad.yaml")


def test_a_failed_write_leaves_the_old_file_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    write_text_atomically(path, "old")

    def fail(*_: object) -> None:
        raise OSError("disk")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk"):
        write_text_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_to_plain_holds_no_types_of_ours() -> None:
    plain = to_plain(EXAMPLE)
    assert plain["inner"]["sizes"] == [4]
    assert plain["where"] == "x/y"
