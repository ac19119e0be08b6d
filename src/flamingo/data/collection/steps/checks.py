"""What the settings of steps must be."""

from __future__ import annotations

from flamingo.foundation.errors import ConfigError


def check_share(step: str, **shares: float | int) -> None:
    """Shares go from 0 to 1.

    Raises:
        ConfigError: one does not.
    """
    for name, value in shares.items():
        if not 0 <= value <= 1:
            raise ConfigError(f"{step}: {name}={value} is no share.\nGive a number from 0 to 1.")


def check_least(step: str, least: float | int, **values: float | int | None) -> None:
    """Numbers have a least value; None, which is no limit, is none of them.

    Raises:
        ConfigError: one is below it.
    """
    for name, value in values.items():
        if value is not None and not value >= least:
            raise ConfigError(f"{step}: {name}={value} is impossible.\nGive {least:g} or more.")


def check_range(step: str, what: str, low: float | int, high: float | int | None) -> None:
    """What may be at least `low` and at most `high` can be something; None is no limit.

    Raises:
        ConfigError: `low` is above `high`.
    """
    if high is not None and not low <= high:
        raise ConfigError(
            f"{step}: at least {low:g} and at most {high:g} {what} leaves nothing.\n"
            "Lower the first or raise the second."
        )


def check_named(step: str, **lists: tuple[str, ...]) -> None:
    """Lists of names have names in them.

    Raises:
        ConfigError: a list is empty, or a name in it is.
    """
    for name, values in lists.items():
        if not values or not all(value.strip() for value in values):
            raise ConfigError(f"{step}: {name}={list(values)} lacks a name.\nGive one or more.")
