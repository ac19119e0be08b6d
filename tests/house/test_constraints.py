"""The constraints file is exact, portable and complete."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.repository import ROOT

LEFT_TO_TORCH = ("nvidia-", "cuda-", "triton")


def pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.+!]+", pin) for pin in pins), pins
    names_versions = (pin.split("==") for pin in pins)
    return {canonicalize_name(name): version for name, version in names_versions}


def _groups(project: dict[str, Any]) -> list[list[str]]:
    # Ray's version is that of its cluster, and a browser's that of the machine; both bring many
    # more, and nothing here installs them.
    left_out = ("ray", "e2e")
    extras = {n: g for n, g in project["optional-dependencies"].items() if n not in left_out}
    return [project["dependencies"], *extras.values()]


def needed() -> set[str]:
    """Everything that pyproject.toml asks for, and what that asks for in turn."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    waiting = [Requirement(text) for group in _groups(project) for text in group]
    names: set[str] = set()
    seen: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        name = canonicalize_name(requirement.name)
        names.add(name)
        if name.startswith(LEFT_TO_TORCH):
            continue
        for text in metadata.requires(name) or []:
            further = Requirement(text)
            environments = [{"extra": extra} for extra in ("", *requirement.extras)]
            if further.marker is None or any(map(further.marker.evaluate, environments)):
                waiting.append(further)
    return {name for name in names if not name.startswith(LEFT_TO_TORCH)}


def test_cuda_is_left_to_torch() -> None:
    assert not [name for name in pinned() if name.startswith(LEFT_TO_TORCH)]


def test_everything_needed_is_pinned_and_nothing_else() -> None:
    assert set(pinned()) == needed()


def test_lower_bounds_admit_the_pins() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = pinned()
    for text in (text for group in _groups(project) for text in group):
        requirement = Requirement(text)
        assert pins[canonicalize_name(requirement.name)] in requirement.specifier, text
