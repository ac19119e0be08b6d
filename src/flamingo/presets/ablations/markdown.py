"""The table of an ablation as a document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flamingo.presets.ablations.table import Entry

_PAPER = ("coco", "okvqa", "vqav2", "msvdqa", "vatex")
_NOTHING = "–"


def markdown(entries: Sequence[Entry], about: Mapping[str, Any]) -> str:
    """Differences beside the paper's, then scores by task, then the paper's scores, then notes."""
    parts = [
        "# Ablation of the miniature",
        _told(about),
        "## Differences",
        _table(_HEADER, [_difference_row(entry) for entry in entries]),
        _LEGEND,
        "## Accuracy by task",
        _accuracies(entries),
        "## The paper's scores",
        _table(("row", "overall", *_PAPER), [_paper_row(entry) for entry in entries]),
        "Flamingo-3B, short training, 4 shots (Tables 3 and 10, v2). Overall: mean of the scores "
        "as shares of the state of the art.",
        "## Rows",
        "\n".join(_explained(entry) for entry in entries),
    ]
    return "\n\n".join(parts) + "\n"


_HEADER = (
    "row", "the paper's row", "seeds", "overall", "against", "difference", "95 % interval",
    "paper overall", "paper difference", "direction", "parameters", "trained", "step s",
)  # fmt: skip
_LEGEND = (
    "Overall: mean over development tasks of 100 · (accuracy - chance) / (1 - chance). Against: "
    "the row that it is minus; the paper's difference is to the paper's baseline. The interval is "
    "of a bootstrap over seeds and paired queries, in which the deviations of S seeds are scaled "
    "by √(S / (S - 1)); with one seed it is that of the queries alone, with two or three it is "
    "still too narrow. Direction: whether the sign of our difference is the paper's; undecided "
    "where the interval has a zero in it. Points of ours and of the paper are not the same unit: "
    "only signs are compared. Step s: median time for one batch of every source, with as many runs "
    "beside it as processes."
)


def _told(about: Mapping[str, Any]) -> str:
    config = about["config"]
    machine = about["machine"]
    device = machine["device"]
    computed_on = (machine["cpu"] or device) if device == "cpu" else device
    lines = [
        f"`{about['command']}`, {about['date']}, {computed_on}, "
        f"{about['processes']} processes of one thread. Seeds per row: {about['seeds']}; "
        f"{config['steps']} steps at {config['batch_scale']:g} times the baseline's batch, "
        f"{config['queries']} queries per task, {config['shots']} shots. p_next of the baseline is "
        f"{about['next_share']:g}; the paper's is 0.5."
    ]
    if about["failures"]:
        lines.append("Not finished, for an error:")
        lines += [f"- {name}: {reason}" for name, reason in about["failures"].items()]
    return "\n".join(lines)


def _difference_row(entry: Entry) -> Iterable[str]:
    gap = entry.difference
    return (
        entry.row,
        entry.mirrors,
        str(len(entry.seeds)),
        _number(entry.overall),
        entry.reference or _NOTHING,
        _number(gap.mean if gap else None, "+.1f"),
        f"{gap.low:+.1f} to {gap.high:+.1f}" if gap else _NOTHING,
        _number(entry.paper.overall if entry.paper else None),
        _number(entry.paper_difference or None, "+.1f"),
        entry.direction or _NOTHING,
        _millions(entry.num_parameters),
        _millions(entry.num_trained),
        _number(entry.seconds_per_step, ".2f"),
    )


def _accuracies(entries: Sequence[Entry]) -> str:
    tasks = list(dict.fromkeys(task for entry in entries for task in entry.accuracy))
    rows = [
        (entry.row, *(_number(entry.accuracy.get(task)) for task in tasks)) for entry in entries
    ]
    return _table(("row", *tasks), rows)


def _paper_row(entry: Entry) -> Iterable[str]:
    if entry.paper is None:
        return (entry.row, *[_NOTHING] * (len(_PAPER) + 1))
    scores = (getattr(entry.paper, name) for name in ("overall", *_PAPER))
    return (entry.row, *map(_number, scores))


def _explained(entry: Entry) -> str:
    changes = " ".join(f"`{setting}`" for setting in entry.settings)
    rate = entry.learning_rate
    if entry.learning_rate_multiple != 1:
        rate += f"; chosen by development score: {entry.learning_rate_multiple:g} times that"
    parts = [f"- **{entry.row}**: {entry.description}.", changes, f"Learning rate: {rate}."]
    notes = (f"Note: {note}." for note in entry.notes)
    return " ".join([part for part in parts if part] + list(notes))


def _table(header: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows))


def _number(value: float | None, form: str = ".1f") -> str:
    return _NOTHING if value is None else format(value, form)


def _millions(count: int | None) -> str:
    return _NOTHING if count is None else f"{count / 1e6:.2f} M"
