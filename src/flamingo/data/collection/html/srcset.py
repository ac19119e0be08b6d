"""The list of files that an `<img srcset>` offers, and the one to take."""

from __future__ import annotations

from dataclasses import dataclass

WIDEST = 1_024
"""Images wider than this, in pixels, are taken only where there is nothing smaller."""
MAX_LENGTH = 65_536
MAX_CANDIDATES = 32
_BLANK = " \t\n\r\f"


@dataclass(frozen=True)
class Candidate:
    """One file of the list.

    Attributes:
        address: as written.
        width: in pixels, if the list says it.
        density: pixels per pixel shown, 1 if the list does not say it.
    """

    address: str
    width: float | None = None
    density: float = 1.0


def parse_srcset(value: str) -> list[Candidate]:
    """The candidates in the order of the list; commas inside of an address belong to it."""
    found: list[Candidate] = []
    if len(value) > MAX_LENGTH:
        return found
    position, end = 0, len(value)
    while len(found) < MAX_CANDIDATES:
        while position < end and value[position] in _BLANK + ",":
            position += 1
        start = position
        while position < end and value[position] not in _BLANK:
            position += 1
        address = value[start:position]
        if not address:
            break
        descriptors = ""
        if not address.endswith(","):
            comma = value.find(",", position)
            comma = end if comma < 0 else comma
            descriptors = value[position:comma]
            position = comma
        found.append(_candidate(address.rstrip(","), descriptors.split()))
    return found


def choose(candidates: list[Candidate], shown_width: int | None = None) -> str | None:
    """The address of the widest candidate that is not above `WIDEST`, else of the narrowest.

    Args:
        candidates: of one list.
        shown_width: what densities multiply; without it the smallest density is taken.
    """
    if not candidates:
        return None
    if all(one.width is None for one in candidates):
        if shown_width is None:
            return min(candidates, key=lambda one: one.density).address
        sized = [(one.density * shown_width, one.address) for one in candidates]
    else:
        sized = [(one.width, one.address) for one in candidates if one.width is not None]
    fitting = [one for one in sized if one[0] <= WIDEST]
    if fitting:
        return max(fitting, key=lambda one: one[0])[1]
    return min(sized, key=lambda one: one[0])[1]


def _candidate(address: str, descriptors: list[str]) -> Candidate:
    width, density = None, 1.0
    for descriptor in descriptors:
        number = _number(descriptor[:-1])
        if number is not None and descriptor.endswith("w"):
            width = number
        elif number is not None and descriptor.endswith("x"):
            density = number
    return Candidate(address, width, density)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 < number < 1e6 else None
