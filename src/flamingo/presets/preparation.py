"""Recipes of data preparation: what is made of what, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flamingo.data.collection.deduplication import DeduplicationSettings
from flamingo.data.collection.made_settings import ClipsSettings, PagePairsSettings, PairsSettings
from flamingo.data.collection.opening import Settings
from flamingo.data.collection.page_settings import PageSettings
from flamingo.foundation.errors import ConfigError, nearest
from flamingo.foundation.records import from_plain, override, read_yaml, to_plain


@dataclass(frozen=True)
class Preparation:
    """A recipe.

    Args:
        name: as typed in the shell.
        description: one line.
        settings: of one of the kinds.
    """

    name: str
    description: str
    settings: Settings

    def with_overrides(self, assignments: Iterable[str]) -> Preparation:
        """The same recipe with `field=value` assignments applied.

        Raises:
            ConfigError: an unknown setting, or a value of another type.
        """
        return replace(self, settings=override(self.settings, assignments))

    def resolved(self) -> dict[str, Any]:
        """Every setting as plain values."""
        return {"recipe": self.name, **to_plain(self.settings)}


_PAGES = PageSettings(
    # Two pages on one picture are not the same page; OBELICS thinks otherwise.
    deduplication=DeduplicationSettings(same_images=False)
)

PREPARATIONS: Mapping[str, Preparation] = {
    one.name: one
    for one in (
        Preparation("pages", "web pages to documents, by the paper's filters", _PAGES),
        Preparation(
            "obelics",
            "web pages to documents, by OBELICS' rules",
            PageSettings(reading="obelics", steps="obelics"),
        ),
        Preparation("pairs", "files of captions to image-text pairs", PairsSettings()),
        Preparation(
            "alt-texts",
            "images of web pages with their alternative texts to pairs",
            PagePairsSettings(),
        ),
        Preparation("clips", "long videos with captions to clips with texts", ClipsSettings()),
    )
}


def preparation_named(name: str) -> Preparation:
    """The recipe of that name, or of that YAML file: `recipe: NAME`, then settings that differ.

    Raises:
        ConfigError: there is none, or a setting is wrong.
    """
    if not name.endswith((".yaml", ".yml")):
        if name not in PREPARATIONS:
            raise ConfigError(f"There is no recipe {name!r}. {nearest(name, PREPARATIONS)}")
        return PREPARATIONS[name]
    plain = read_yaml(Path(name))
    if not isinstance(plain, Mapping) or plain.get("recipe") not in PREPARATIONS:
        known = ", ".join(PREPARATIONS)
        raise ConfigError(
            f"{name} needs a line `recipe: NAME` that says what it starts from, one of {known}."
        )
    base = PREPARATIONS[plain["recipe"]]
    whole = to_plain(base.settings)
    for key, value in plain.items():
        if key != "recipe":
            before = whole.get(key)
            both = isinstance(before, dict) and isinstance(value, dict) and key != "changes"
            whole[key] = {**before, **value} if both else value
    return replace(base, settings=from_plain(type(base.settings), whole))
