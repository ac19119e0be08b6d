"""What every test shares: shape checks on, one thread per worker, examples that repeat."""

from __future__ import annotations

from pathlib import Path

from jaxtyping import install_import_hook

SOURCE = Path(__file__).parents[1] / "src"


def modules_with_shapes() -> list[str]:
    """Names of the modules in whose signatures shapes are written; mypy checks the other types."""
    return [
        ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        for path in sorted(SOURCE.rglob("*.py"))
        if "from jaxtyping import" in path.read_text(encoding="utf-8")
    ]


# Before anything imports flamingo: from here on every shape in these signatures is checked.
install_import_hook(modules_with_shapes(), "beartype.beartype")

import os  # noqa: E402
from collections.abc import Iterator  # noqa: E402

import pytest  # noqa: E402
import torch  # noqa: E402
from hypothesis import settings  # noqa: E402

torch.set_num_threads(1)

# The same examples on every run, and no time limit for one of them: machines differ in speed.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Layouts of scanned shards are kept in a folder of the tests, not of whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        if "FLAMINGO_CACHE" not in os.environ:
            patch.setenv("FLAMINGO_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
