"""Pages per second and memory of `flamingo prepare pages`, for a folder and ten times as many.

`python -m benchmarks.preparing_pages FOLDER` copies pages of a folder with their images, so that
each copy has a text and images of its own as far as duplicates are concerned, and prepares them in
one process. What is needed for a million pages is computed from the larger run.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from itertools import cycle, islice
from pathlib import Path
from typing import Any

_RUN = """
import json, resource, sys, time
from pathlib import Path
from flamingo.data.collection.engines import LocalEngine
from flamingo.data.collection.opening import collector_of
from flamingo.data.collection.prepare import prepare
from flamingo.presets.preparation import preparation_named
recipe = preparation_named("pages").with_overrides([f"source={sys.argv[1]}", "pages_per_piece=100"])
engine, out = LocalEngine(1), Path(sys.argv[2])
began = time.process_time()
done = prepare(collector_of(recipe.settings, out, engine), "pages", out,
               settings=recipe.resolved(), engine=engine)
cpu = time.process_time() - began
status = Path("/proc/self/status").read_text().splitlines()
peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024
print(json.dumps({"cpu": cpu, "peak": peak, "documents": done.manifest.num_samples,
                  "images": done.manifest.num_visuals,
                  "bytes": sum(one.num_bytes for one in done.manifest.shards)}))
"""


def copy_pages(source: Path, target: Path, num: int) -> None:
    """`num` pages, each with a sentence of its own; all images once, as links."""
    pages = sorted(source.glob("*.html"))
    # In alphabetical order, few pages are of one kind.
    random.Random(0).shuffle(pages)
    target.mkdir()
    for entry in source.iterdir():
        if entry.is_dir():
            shutil.copytree(entry, target / entry.name, copy_function=os.link)
    for number, page in enumerate(islice(cycle(pages), num)):
        own = f"<p>This is copy {number} of its page, and no other page says that.</p></body>"
        content = page.read_bytes().replace(b"</body>", own.encode())
        (target / f"{page.stem}-{number:06d}.html").write_bytes(content)


def measured(source: Path, num: int) -> dict[str, Any]:
    """CPU seconds and peak memory of one preparation of `num` pages."""
    root = Path(tempfile.mkdtemp(dir=source.parent))
    try:
        copy_pages(source, root / "pages", num)
        command = [sys.executable, "-c", _RUN, str(root / "pages"), str(root / "out")]
        ran = subprocess.run(command, check=True, capture_output=True, text=True)
        return {"pages": num, **json.loads(ran.stdout.splitlines()[-1])}
    finally:
        shutil.rmtree(root)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="of HTML pages with images beside them")
    parser.add_argument("--pages", type=int, default=200, help="of the smaller run (default 200)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    runs = [measured(args.folder.resolve(), num) for num in (args.pages, 10 * args.pages)]
    for run in runs:
        print(
            f"{run['pages']:>7,} pages: {run['cpu']:.1f} s of CPU, "
            f"{run['pages'] / run['cpu']:.1f} pages/s per core, peak {run['peak'] / 1e6:,.0f} MB, "
            f"{run['documents']:,} documents with {run['images']:,} images, "
            f"{run['bytes'] / 1e6:,.0f} MB"
        )
    small, large = runs
    added = large["cpu"] - small["cpu"]
    per_page = added / (large["pages"] - small["pages"])
    print(
        f"Ten times the pages take {large['cpu'] / small['cpu']:.1f} times the CPU. "
        f"A million pages like these: {per_page * 1e6 / 3600:,.1f} core hours."
    )
    if args.json is not None:
        args.json.write_text(json.dumps(runs, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
