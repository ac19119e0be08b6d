"""Whether a model answers worse for some groups of people than for others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, stdev, variance

from flamingo.evaluation.groups import Groups
from flamingo.evaluation.text_table import markdown_rows
from flamingo.evaluation.welch import Welch, welch_t_test
from flamingo.foundation.errors import ConfigError, DataError, nearest


@dataclass(frozen=True)
class GroupMean:
    """What a group's answers are worth.

    Attributes:
        group: its name.
        n: number of queries, at least two.
        mean: in the metric's own unit.
        deviation: standard deviation of single queries.
    """

    group: str
    n: int
    mean: float
    deviation: float


@dataclass(frozen=True)
class GroupDifference:
    """What lies between two groups.

    Attributes:
        first: one group.
        second: the other.
        difference: first mean - second mean.
        effect: Cohen's d: the difference in units of the root of the mean of both variances; 0
            where all values are equal, infinite where only the groups differ.
        test: Welch's t-test.
    """

    first: str
    second: str
    difference: float
    effect: float
    test: Welch


@dataclass(frozen=True)
class Bias:
    """One attribute, such as gender.

    Attributes:
        attribute: its name.
        overall: mean over all queries that have a value, whether or not in a group.
        num_values: how many these are.
        means: by group.
        differences: of each pair of groups.
        num_without_group: queries with a value of which no compared group is known.
        num_without_value: queries with a group that were not asked.
    """

    attribute: str
    overall: float
    num_values: int
    means: tuple[GroupMean, ...]
    differences: tuple[GroupDifference, ...]
    num_without_group: int
    num_without_value: int


def bias_of(
    values: Mapping[str, float], groups: Groups, compared: Mapping[str, Sequence[str]] | None = None
) -> list[Bias]:
    """Compares the groups of each attribute, all pairs of them.

    Args:
        values: what the answer to each query is worth, by its id.
        groups: see `read_groups`.
        compared: by attribute the groups that are compared, in this order; of attributes that are
            not in it all, in the order of their names.

    Raises:
        ConfigError: there is no attribute or group of that name, or fewer than two groups.
        DataError: no id of an attribute has a value, or a group has fewer than two.

    Paper: version 2, Table 12.
    """
    for attribute in compared or {}:
        if attribute not in groups:
            raise ConfigError(f"There is no attribute {attribute!r}. {nearest(attribute, groups)}")
    return [
        _bias(values, attribute, own, (compared or {}).get(attribute))
        for attribute, own in groups.items()
    ]


def _bias(
    values: Mapping[str, float],
    attribute: str,
    own: Mapping[str, str],
    compared: Sequence[str] | None,
) -> Bias:
    names = _compared(attribute, own, compared)
    shared = [query for query in own if query in values]
    if not shared:
        raise DataError(
            f"None of the {len(own)} ids with a {attribute} is among the {len(values)} queries.\n"
            f"Ids of the groups: {_some(own)}. Ids of the queries: {_some(values)}.\n"
            "Write the ids of the groups as the benchmark writes them."
        )
    members = {name: [values[q] for q in shared if own[q] == name] for name in names}
    for name, found in members.items():
        if len(found) < 2:
            raise DataError(
                f"The group {name!r} of {attribute} has {len(found)} of the queries; a mean needs "
                "at least two to be compared.\nEvaluate more queries, or name the groups to "
                f"compare without it; there are {', '.join(sorted(set(own.values())))}."
            )
    num_members = sum(map(len, members.values()))
    return Bias(
        attribute=attribute,
        overall=fmean(values.values()),
        num_values=len(values),
        means=tuple(
            GroupMean(name, len(found), fmean(found), stdev(found))
            for name, found in members.items()
        ),
        differences=tuple(_difference(members, *pair) for pair in combinations(names, 2)),
        num_without_group=len(values) - num_members,
        num_without_value=sum(name in names for name in own.values()) - num_members,
    )


def _compared(
    attribute: str, own: Mapping[str, str], compared: Sequence[str] | None
) -> Sequence[str]:
    known = sorted(set(own.values()))
    names = list(dict.fromkeys(known if compared is None else compared))
    for name in names:
        if name not in known:
            raise ConfigError(f"{attribute} has no group {name!r}. {nearest(name, known)}")
    if len(names) < 2:
        raise ConfigError(
            f"{attribute} has only the groups {names}: there is nothing to compare.\n"
            f"At least two are needed. In the file: {', '.join(known) or '(none)'}."
        )
    return names


def _difference(members: Mapping[str, Sequence[float]], first: str, second: str) -> GroupDifference:
    ours, theirs = members[first], members[second]
    difference = fmean(ours) - fmean(theirs)
    spread = math.sqrt((variance(ours) + variance(theirs)) / 2)
    effect = difference / spread if spread else math.copysign(math.inf, difference)
    if difference == 0:
        effect = 0.0
    return GroupDifference(first, second, difference, effect, welch_t_test(ours, theirs))


def bias_rows(found: Sequence[Bias]) -> list[list[str]]:
    """Header, and a row per pair of groups: means, difference, and how sure that is."""
    header = ["attribute", "groups", "n", "means", "difference", "effect", "t", "p"]
    rows = []
    for one in found:
        means = {mean.group: mean for mean in one.means}
        for pair in one.differences:
            first, second = means[pair.first], means[pair.second]
            rows.append(
                [
                    one.attribute,
                    f"{pair.first} - {pair.second}",
                    f"{first.n}, {second.n}",
                    f"{first.mean:.3f} - {second.mean:.3f}",
                    f"{pair.difference:+.3f}",
                    f"{pair.effect:+.2f}",
                    f"{pair.test.t:+.2f}",
                    _p(pair.test.p),
                ]
            )
    return [header, *rows]


def bias_notes(found: Sequence[Bias]) -> list[str]:
    """What a reader of the table must know."""
    notes = [
        "Means of single queries; p of Welch's two-sided t-test, not corrected for the number of "
        "tests; effect is Cohen's d."
    ]
    notes += [
        f"{one.attribute}: {one.overall:.3f} over all {one.num_values} queries; "
        f"{one.num_without_group} of them are in none of these groups, and "
        f"{one.num_without_value} queries of the groups were not asked."
        for one in found
    ]
    return notes


def bias_markdown(found: Sequence[Bias]) -> str:
    """The table for a document, with its notes."""
    return "\n".join([markdown_rows(bias_rows(found), 2), "\n\n".join(bias_notes(found))]) + "\n"


def _p(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _some(ids: Mapping[str, object], most: int = 3) -> str:
    return ", ".join(map(repr, list(ids)[:most])) + (", …" if len(ids) > most else "")
