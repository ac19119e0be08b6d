"""What every test shares: shape checks on, one thread per worker, examples that repeat."""

from __future__ import annotations

from jaxtyping import install_import_hook

# Before anything imports flamingo: from here on every annotated shape and type is checked.
install_import_hook("flamingo", "beartype.beartype")

import torch  # noqa: E402
from hypothesis import settings  # noqa: E402

torch.set_num_threads(1)

# The same examples on every run, and no time limit for one of them: machines differ in speed.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")
