"""What a benchmark's cases found, in a file that grows with each of them, and as tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.turns import Comparison
from flamingo.foundation.records import json_text, write_text_atomically

BEGIN, END = "<!-- against_peers -->", "<!-- end of against_peers -->"
"""Between these lines stands the table of a document."""


@dataclass(frozen=True)
class Case:
    """One thing that was to be shown.

    Attributes:
        case: its group and its name, as "decoding/idefics".
        ratio: what was measured.
        goal: what was aimed at.
        spread: the lowest and the highest ratio of a round; twice the same where it is counted.
        what: in words, what the ratio is of.
        ours: our number.
        peer: the number that it is compared with.
        unit: of both.
        against: whose number that is.
        is_higher_better: whether the goal is the least or the most that is good enough.
        rounds: turns of each.
        cpu_ratio: the ratio in CPU time; none where nothing was timed.
        note: what one must know to read the ratio.
    """

    case: str
    ratio: float
    goal: float
    spread: tuple[float, float]
    what: str
    ours: float
    peer: float
    unit: str
    against: str
    is_higher_better: bool = True
    rounds: int = 1
    cpu_ratio: float | None = None
    note: str = ""

    @property
    def reached(self) -> bool:
        """Whether the ratio is as good as the goal."""
        return self.ratio >= self.goal if self.is_higher_better else self.ratio <= self.goal

    @property
    def group(self) -> str:
        """The cases that are measured together."""
        return group_of(self.case)

    def record(self, **about: Any) -> dict[str, Any]:
        """As it stands in the file; `about` is how it was measured, its command among it."""
        plain = asdict(self)
        first = {name: plain.pop(name) for name in ("case", "ratio", "goal")}
        spread, command = list(plain.pop("spread")), about.pop("command")
        verdict = {"reached": self.reached, "spread": spread, "command": command}
        return {**first, **verdict, **plain, **about}


def compared(
    case: str, found: Comparison, goal: float, what: str, unit: str, scale: float = 1.0, **more: Any
) -> Case:
    """A case of two that took turns; `scale` turns seconds into `unit`."""
    return Case(
        case,
        found.ratio,
        goal,
        found.spread,
        what,
        ours=found.under * scale,
        peer=found.over * scale,
        unit=unit,
        cpu_ratio=found.cpu_ratio,
        **more,
    )


def group_of(case: str) -> str:
    """The group in a case's name."""
    return case.partition("/")[0]


def merged(
    old: Iterable[Mapping[str, Any]], new: Sequence[Mapping[str, Any]], order: Sequence[str]
) -> list[Mapping[str, Any]]:
    """All records, the new ones in place of the old ones of their groups, groups in `order`."""
    renewed = {group_of(one["case"]) for one in new}
    kept = [one for one in old if group_of(one["case"]) not in renewed]
    return sorted([*kept, *new], key=lambda one: order.index(group_of(one["case"])))


def read_records(path: Path) -> list[Mapping[str, Any]]:
    """The records of a file; none where there is no file."""
    if not path.exists():
        return []
    records: list[Mapping[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return records


def write_records(path: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """The whole file, or the old one where that is cut short."""
    write_text_atomically(path, json_text(records))


def table(records: Iterable[Mapping[str, Any]]) -> str:
    """The records, for people."""
    lines = []
    for one in records:
        sign = ">=" if one["is_higher_better"] else "<="
        low, high = one["spread"]
        lines.append(
            f"{one['case']:<24} {one['ratio']:>8.2f} ({low:.2f} to {high:.2f}), goal {sign} "
            f"{one['goal']:.2f}: {'reached' if one['reached'] else 'NOT REACHED'}; "
            f"ours {one['ours']:.4g}, {one['against']} {one['peer']:.4g} {one['unit']}"
        )
        if one["note"]:
            lines.append(f"{'':<24} {one['note']}")
    return "\n".join(lines)


def markdown(records: Sequence[Mapping[str, Any]]) -> str:
    """The records as a table of a document, with what they were measured on."""
    lines = [
        "| case | what | ours | compared with | ratio (spread) | goal | reached |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in records:
        sign = "≥" if one["is_higher_better"] else "≤"
        low, high = one["spread"]
        what = f"{one['what']}. {one['note']}" if one["note"] else one["what"]
        lines.append(
            f"| {one['case']} | {what} | {one['ours']:.4g} {one['unit']} | "
            f"{one['against']}: {one['peer']:.4g} | {one['ratio']:.2f} ({low:.2f}–{high:.2f}) | "
            f"{sign} {one['goal']:.2f} | {'yes' if one['reached'] else 'no'} |"
        )
    settings = dict.fromkeys(
        f"Measured by `{one['command']}` on {one['date']}: {one['machine']['cpu']}, "
        f"{one['machine']['device']}, {one['machine']['threads_per_process']} thread(s), "
        f"torch {one['torch']}, transformers {one['transformers']}."
        for one in records
    )
    return "\n".join([*lines, "", *settings])


def write_markdown(path: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """Puts the table between its marks in a document, or makes a document of it."""
    part = f"{BEGIN}\n{markdown(records)}\n{END}"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    before, mark, rest = text.partition(BEGIN)
    if not mark:
        write_text_atomically(path, f"{text}\n{part}\n" if text else f"{part}\n")
        return
    after = rest.partition(END)[2]
    write_text_atomically(path, before + part + after)
