"""The programs of `examples`, as modules."""

from __future__ import annotations

import importlib.util
from types import ModuleType

from tests.house.repository import ROOT


def example(name: str) -> ModuleType:
    """A program below `examples`, by its path without the ending."""
    path = ROOT / "examples" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
