"""A JSON file of an evaluation's folder, read so that damage is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flamingo.foundation.errors import DataError

_WRITTEN_ANEW = "Remove it and give the command of `flamingo evaluate` again, which writes it anew."


def read_json(path: Path, kind: type, cure: str = _WRITTEN_ANEW) -> Any:
    """The content of a file that is there.

    Args:
        path: the file.
        kind: what it holds as a whole: `dict` or `list`.
        cure: what a user may do when it is damaged.

    Raises:
        DataError: it is not JSON, or holds something else.
        FileNotFoundError: it is not there.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is damaged: {error}\n{cure}") from error
    if not isinstance(found, kind):
        raise DataError(f"{path} is damaged: it holds no {kind.__name__}.\n{cure}")
    return found
