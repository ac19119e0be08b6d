"""Features of pictures as rows of length 1, checked first."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from flamingo.foundation.errors import DataError

Features = npt.NDArray[Any]
Lengths = npt.NDArray[np.float64]

_ROWS_AT_ONCE = 4096


def lengths_of(rows: Features, what: str, width: int | None = None) -> Lengths:
    """The length of each row.

    Args:
        rows: `[rows, width]`, numbers of any floating format.
        what: what they belong to, for errors: "support" or "query".
        width: what theirs must be, if that is known.

    Raises:
        DataError: the shape or the format is another, or a row has no direction: it is not finite
            or all zeros.
    """
    if rows.ndim != 2 or rows.shape[1] == 0 or not np.issubdtype(rows.dtype, np.floating):
        raise DataError(
            f"The {what} features are {rows.dtype} of the shape {list(rows.shape)}, expected "
            "floating-point numbers of the shape [rows, width].\nGive one row for each picture."
        )
    if width is not None and rows.shape[1] != width:
        raise DataError(
            f"The {what} features have the width {rows.shape[1]}, those that are searched {width}."
            "\nThey come from different encoders. Compute both with one."
        )
    lengths = np.empty(len(rows))
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        few = rows[start : start + _ROWS_AT_ONCE].astype(np.float64)
        lengths[start : start + len(few)] = np.sqrt((few * few).sum(axis=1))
    wrong = np.flatnonzero(~np.isfinite(lengths) | (lengths == 0))
    if len(wrong):
        kind = "all zeros" if lengths[wrong[0]] == 0 else "not finite"
        raise DataError(
            f"Row {wrong[0]} of the {what} features is {kind}; {len(wrong)} of {len(rows)} rows "
            "have no direction.\nThe encoder is broken or ran in a too narrow number format."
        )
    return lengths


def unit_rows(rows: Features, lengths: Lengths) -> npt.NDArray[np.float32]:
    """The rows with length 1, in float32."""
    units = np.empty(rows.shape, np.float32)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        few = slice(start, start + _ROWS_AT_ONCE)
        units[few] = rows[few] / lengths[few, None]
    return units
