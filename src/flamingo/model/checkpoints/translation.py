"""Where each tensor of ours comes from in another project's checkpoint, with nothing left over."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from flamingo.foundation.errors import CheckpointError
from flamingo.model.checkpoints.tensor_files import TensorFiles

_SHOWN = 6
"""Names in a message; a wrong checkpoint has hundreds."""


@dataclass(frozen=True)
class Source:
    """A tensor of another checkpoint, or some rows of it.

    Attributes:
        files: that it is in.
        name: its name there.
        rows: the first and the one behind the last; all of them where `None`.
        is_flat: whether dimensions of size 1 are dropped: gates that are called vectors.
    """

    files: TensorFiles
    name: str
    rows: tuple[int, int] | None = None
    is_flat: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what is taken."""
        shape = self.files.shape(self.name)
        if self.rows is not None:
            shape = (self.rows[1] - self.rows[0], *shape[1:])
        return (prod(shape),) if self.is_flat else shape

    @property
    def dtype(self) -> torch.dtype:
        """The number format in the file."""
        return self.files.dtype(self.name)

    def read(self) -> Tensor:
        """What is taken."""
        tensor = self.files.read(self.name)
        if self.rows is not None:
            tensor = tensor[slice(*self.rows)]
        return tensor.flatten() if self.is_flat else tensor


Translation = Mapping[str, Source]
"""Per tensor of ours, by its name in our model."""


@dataclass(frozen=True)
class Checked:
    """One checkpoint that a translation draws from, and what in it is not for us.

    Attributes:
        source: what a user calls it.
        files: its tensors.
        ignored: patterns of whole names that older versions wrote, or that are elsewhere as well.
    """

    source: str
    files: TensorFiles
    ignored: Sequence[str] = ()


def check_translation(
    translation: Translation,
    wanted: Mapping[str, tuple[int, ...]],
    checkpoints: Iterable[Checked],
) -> None:
    """Every tensor of ours is there in the right shape, and every one of theirs is used.

    Args:
        translation: from names of ours.
        wanted: the shapes of our model's tensors.
        checkpoints: all that the translation draws from.

    Raises:
        CheckpointError: names the tensors that are missing, unknown or of another shape.
    """
    checkpoints = list(checkpoints)
    missing = [
        source.name for source in translation.values() if source.name not in source.files
    ] + [name for name in wanted if name not in translation]
    misshapen = [
        f"{source.name}: {list(source.shape)} in the file, {list(wanted[name])} by its settings"
        for name, source in translation.items()
        if source.name in source.files and source.shape != wanted[name]
    ]
    unknown = []
    for one in checkpoints:
        used = {s.name for s in translation.values() if s.files is one.files}
        unknown += [
            name
            for name in one.files
            if name not in used and not any(re.fullmatch(p, name) for p in one.ignored)
        ]
    if missing or misshapen or unknown:
        names = " and ".join(dict.fromkeys(one.source for one in checkpoints))
        raise CheckpointError(
            f"{names} cannot be read as what its settings say.\n"
            f"Missing: {_listed(missing)}.\nUnknown: {_listed(unknown)}.\n"
            f"Of another shape: {_listed(misshapen)}.\n"
            "Either a file is of another checkpoint, or the settings beside it are."
        )


def renamed(name: str, rules: Sequence[tuple[str, str]]) -> str:
    """A name of ours as another project writes it: by the first rule whose pattern it is."""
    for pattern, replacement in rules:
        new, count = re.subn(f"^{pattern}$", replacement, name)
        if count:
            return new
    raise CheckpointError(
        f"There is no rule for {name!r}: this model has a part that the other project has not."
    )


def in_order(translation: Translation) -> list[str]:
    """Names of ours, in the order in which their sources lie in their files."""
    places: dict[tuple[int, str], int] = {}
    for source in translation.values():
        if (id(source.files), "") not in places:
            start = len(places)
            places[(id(source.files), "")] = start
            for number, name in enumerate(source.files, start + 1):
                places[(id(source.files), name)] = number
    key: Callable[[str], int] = lambda name: places[  # noqa: E731
        (id(translation[name].files), translation[name].name)
    ]
    return sorted(translation, key=key)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return shown + more if names else "none"
