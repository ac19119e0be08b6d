"""The random numbers of one sequence, by what they are for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Draws = Callable[[str], np.random.Generator | None]
"""A generator for a purpose, always the same; none where nothing is left to chance."""
