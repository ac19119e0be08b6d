"""Reports on steps as tables, for a terminal or a text file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flamingo.data.collection.steps.report import StepReport

_WIDEST = 72


def steps_table(reports: Iterable[StepReport]) -> str:
    """A line for each step: pages, images and words that went in, and those that it took out."""
    rows = [
        ["step", "pages in", "out", "images in", "out", "words in", "out", "source"],
    ]
    for report in reports:
        before, after = report.before, report.after
        rows.append(
            [
                report.name,
                f"{before.pages:,}",
                _less(before.pages, after.pages),
                f"{before.images:,}",
                _less(before.images, after.images),
                f"{before.words:,}",
                _less(before.words, after.words),
                report.source,
            ]
        )
    return _aligned(rows, "lrrrrrrl")


def reasons_table(reports: Iterable[StepReport]) -> str:
    """A line for each reason of each step: how much was taken out for it, and an example.

    Empty if nothing was taken out.
    """
    rows = [["step", "num", "what", "reason", "example"]]
    for report in reports:
        for removed in sorted(report.removed.values(), key=lambda one: (-one.num, one.reason)):
            example = removed.examples[0].example if removed.examples else ""
            rows.append([report.name, f"{removed.num:,}", removed.what, removed.reason, example])
    return _aligned(rows, "lrlll") if len(rows) > 1 else ""


def _less(before: int, after: int) -> str:
    """What was taken out, and its share: "1,204 (12.5%)"."""
    if before == after:
        return "-"
    return f"{before - after:,} ({100 * (before - after) / before:.1f}%)"


def _aligned(rows: Sequence[Sequence[str]], sides: str) -> str:
    """Rows with columns in line; "l" in `sides` for a column that stands left, "r" for right."""
    cut = [[_cut(text) for text in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cut, strict=True)]
    lines = (
        "  ".join(
            text.ljust(width) if side == "l" else text.rjust(width)
            for text, width, side in zip(row, widths, sides, strict=True)
        ).rstrip()
        for row in cut
    )
    return "\n".join(lines) + "\n"


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
