"""Few-shot inference beside its peers: ours, transformers' Idefics, OpenFlamingo's algorithm.

    python -m benchmarks.against_peers --json peers.json
    python -m benchmarks.against_peers --json peers.json --cases beams memory --rounds 5

All have equal sizes, random weights and the same prompts, run in one process on as many threads,
and take turns; medians over rounds stand beside the lowest and the highest ratio of a round.
Idefics is run as its users run it: pictures and masks as its processor makes them, keys and values
kept, evaluation mode, no gradients. OpenFlamingo cannot be installed beside current libraries;
`benchmarks.openflamingo_path` does what it does on our weights. Tokenizing and making pixels of
pictures is counted for ours where it is asked as users ask it, and never for the peers.

The file is a list of cases and is written after each group of them; `--cases` measures some groups
again and leaves the others in it. `--markdown` puts the table of the file into a document.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
import transformers

from benchmarks.case_records import (
    Case,
    merged,
    read_records,
    table,
    write_markdown,
    write_records,
)
from benchmarks.peer_cases import (
    beams,
    class_names,
    close_ended,
    decoding,
    gpu,
    memory,
    other_supports,
    prefill,
    shared_supports,
)
from benchmarks.peers import SCALES, Peers
from flamingo.evaluation.report import machine
from flamingo.foundation.devices import pick_device

GROUPS: Mapping[str, Callable[[Peers, int], list[Case]]] = {
    "decoding": decoding.measure,
    "shared-supports": shared_supports.measure,
    "other-supports": other_supports.measure,
    "beams": beams.measure,
    "close-ended": close_ended.measure,
    "class-names": class_names.measure,
    "prefill": prefill.measure,
    "memory": memory.measure,
    "gpu": gpu.measure,
}


def main(argv: list[str] | None = None) -> None:
    """Measures the chosen groups and prints all that the file holds."""
    given = sys.argv[1:] if argv is None else argv
    args = _parser().parse_args(given)
    torch.set_num_threads(args.threads)
    records: list[Mapping[str, Any]] = read_records(args.json) if args.json else []
    peers = Peers(SCALES[args.sizes])
    for group in [] if args.only_table else args.cases:
        print(f"{group}:", file=sys.stderr, flush=True)
        start = time.perf_counter()
        cases = GROUPS[group](peers, args.rounds)
        print(f"  {time.perf_counter() - start:.0f} s in all", file=sys.stderr, flush=True)
        new = [one.record(**_about(given, args.sizes, group)) for one in cases]
        records = merged(records, new, [*GROUPS])
        if args.json:
            write_records(args.json, records)
    print(table(records))
    if args.markdown:
        write_markdown(args.markdown, records)


def _about(given: Sequence[str], sizes: str, group: str) -> dict[str, Any]:
    device = pick_device("cuda" if group == "gpu" else "cpu")
    return {
        "command": shlex.join(["python", "-m", "benchmarks.against_peers", *given]),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(device, num_processes=1),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "sizes": sizes,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table here too")
    parser.add_argument("--only-table", action="store_true", help="measure nothing")
    parser.add_argument("--cases", nargs="+", choices=GROUPS, default=list(GROUPS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sizes", choices=SCALES, default="small")
    return parser


if __name__ == "__main__":
    main()
