"""What a preparation has done, as text for people."""

from __future__ import annotations

from collections.abc import Iterator

from flamingo.data.collection.deduplication import report_lines
from flamingo.data.collection.prepare import Prepared
from flamingo.data.collection.steps.report import StepReport
from flamingo.data.collection.steps.report_tables import reasons_table, steps_table


def report_text(prepared: Prepared) -> str:
    """What was read, removed by each step, found twice, and written."""
    return "\n".join(_lines(prepared)) + "\n"


def _lines(prepared: Prepared) -> Iterator[str]:
    collected, decided = prepared.report["collected"], prepared.report["decided"]
    manifest = prepared.manifest
    if "steps" in collected:
        reports = [StepReport.from_plain(one) for one in collected["steps"]]
        yield f"{collected['pages']:,} pages read, {collected['num_skipped']:,} could not be."
        yield from (f"  {name}: {why}" for name, why in collected["skipped"][:5])
        yield ""
        yield steps_table(reports)
        yield ""
        yield reasons_table(reports)
        yield from collected["remarks"]
    if "refused" in collected:
        yield f"{collected['samples']:,} samples made. Refused:"
        for step, count in collected["refused"].items():
            reason, example = collected["examples"][step][0]
            yield f"  {step}: {count:,}, such as {reason}: {example}"
    if decided:
        yield ""
        yield from report_lines(decided)
    yield ""
    yield (
        f"{manifest.num_samples:,} samples with {manifest.num_visuals:,} visuals and "
        f"{manifest.num_words:,} words in {len(manifest.shards)} shards, "
        f"{sum(shard.num_bytes for shard in manifest.shards) / 1e6:,.1f} MB."
    )
