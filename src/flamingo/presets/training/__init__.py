"""Training recipes: every module of this package holds one, called `RECIPE`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from flamingo.foundation.errors import ConfigError, nearest
from flamingo.foundation.records import from_plain, read_yaml
from flamingo.presets.recipe import Recipe


def recipe_names() -> list[str]:
    """The names of all recipes: their modules', with dashes."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__))


def recipe_named(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        ConfigError: no such recipe.
    """
    if name not in recipe_names():
        raise ConfigError(f"There is no recipe {name!r}. {nearest(name, recipe_names())}")
    recipe: Recipe = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").RECIPE
    return recipe


def recipe_from_file(path: Path) -> Recipe:
    """The recipe that a YAML file changes: `recipe: NAME`, then only the settings that differ.

    A `recipe.yaml` out of a run folder is such a file.

    Raises:
        ConfigError: the file is missing, names no recipe, or has a wrong setting.
    """
    plain = read_yaml(path)
    if not isinstance(plain, Mapping) or not isinstance(plain.get("recipe"), str):
        raise ConfigError(f"{path} needs a line `recipe: NAME` that says what it starts from.")
    base = recipe_named(plain["recipe"])
    settings = {key: value for key, value in plain.items() if key != "recipe"}
    return replace(base, config=from_plain(type(base.config), _onto(base, settings)))


def _onto(base: Recipe, settings: Mapping[str, object]) -> dict[str, object]:
    whole = {key: value for key, value in base.resolved().items() if key != "recipe"}
    return _merged(whole, settings)


def _merged(old: Mapping[str, object], new: Mapping[str, object]) -> dict[str, object]:
    merged = dict(old)
    for key, value in new.items():
        before = old.get(key)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        merged[key] = _merged(before, value) if both else value  # type: ignore[arg-type]
    return merged
