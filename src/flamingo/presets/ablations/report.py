"""The files in which an ablation is told: table.json, table.md and table.png."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flamingo.foundation.errors import ConfigError
from flamingo.foundation.records import json_text, to_plain, write_text_atomically
from flamingo.presets.ablations.markdown import markdown
from flamingo.presets.ablations.plot import plot_differences
from flamingo.presets.ablations.table import Entry

TABLE, TEXT, PICTURE = "table.json", "table.md", "table.png"


def write_tables(folder: Path, entries: Sequence[Entry], about: Mapping[str, Any]) -> None:
    """Writes all three; the picture only where matplotlib is installed.

    Args:
        folder: of the ablation.
        entries: the table.
        about: how its numbers came about.
    """
    plain = {"about": to_plain(about), "rows": [to_plain(entry) for entry in entries]}
    write_text_atomically(folder / TABLE, json_text(plain))
    write_text_atomically(folder / TEXT, markdown(entries, about))
    try:
        plot_differences(entries, folder / PICTURE)
    except ConfigError as missing:
        print(f"{PICTURE} is left out. {missing}", file=sys.stderr)
