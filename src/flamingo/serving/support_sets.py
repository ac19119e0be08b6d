"""Support sets that clients keep on the server, each under a name of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from flamingo.foundation.errors import FlamingoError
from flamingo.serving.errors import StorageFull, TooLarge, Unknown
from flamingo.serving.limits import Limits
from flamingo.serving.support_set import StoredSupport, SupportSet
from flamingo.serving.support_set_folder import SupportSetFolder

__all__ = ["NameTaken", "StoredSupport", "SupportSet", "SupportSets"]

_LOGGER = logging.getLogger("flamingo.serving")


class NameTaken(FlamingoError):  # noqa: N818 (what it is, not what happened)
    """There is another support set of this name."""


class SupportSets:
    """Keeps sets by owner and name; may be used by several threads.

    Every set is held in memory. Methods that change something wait for the disk.

    Args:
        limits: `visuals` and `visual_bytes` of one set, `support_sets` and `support_set_bytes` of
            all of them.
        folder: in which they outlive the server; they do not, if it is not given.

    Raises:
        ConfigError: the folder cannot be made.
    """

    def __init__(self, limits: Limits, folder: Path | None) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._sets: dict[str, SupportSet] = {}
        self._ids: dict[tuple[str, str], str] = {}
        self._num_bytes = 0
        self._folder = None if folder is None else SupportSetFolder(folder, limits)
        if self._folder is not None:
            for kept in self._folder.read():
                self._take_back(kept)

    def create(
        self,
        owner: str,
        name: str,
        supports: Sequence[StoredSupport],
        question: str | None,
        template: str | None,
        replace: bool,
    ) -> SupportSet:
        """Keeps a set; of one that is there already, with all the same in it, nothing changes.

        Args:
            owner: to whom it belongs.
            name: that no other set of this owner has, unless it is replaced.
            supports: in the order of the prompt.
            question: of all supports and queries that have none.
            template: name or pattern of the template.
            replace: whether another set of this name makes room.

        Raises:
            ConfigError: its name or one of its texts is impossible, or it has no supports.
            NameTaken: there is another one of this name.
            TooLarge: it is above a limit of one set.
            StorageFull: there is no room for one more.
        """
        kept = SupportSet.of(owner, name, supports, question, template, int(time.time()))
        self._check_size(kept)
        with self._lock:
            if kept.id in self._sets:
                return self._sets[kept.id]
            old = self._sets.get(self._ids.get((owner, name), ""))
            if old is not None and not replace:
                raise NameTaken(
                    f"There is a support set {name!r} with another content.\n"
                    "Take another name, or say that it may be replaced."
                )
            self._check_room(kept, old)
            if self._folder is not None:
                self._folder.write(kept)
            if old is not None:
                self._forget(old)
            self._remember(kept)
            self._remove_replaced(old)
        return kept

    def list(self, owner: str) -> list[SupportSet]:
        """All sets of an owner, the newest one first."""
        with self._lock:
            return [kept for kept in reversed(self._sets.values()) if kept.owner == owner]

    def get(self, owner: str, id_or_name: str) -> SupportSet:
        """A set.

        Raises:
            Unknown: its owner has none of this id or name.
        """
        with self._lock:
            return self._found(owner, id_or_name)

    def delete(self, owner: str, id_or_name: str) -> None:
        """Forgets a set.

        Raises:
            Unknown: its owner has none of this id or name.
            StorageFull: the folder cannot be written to; the set stays.
        """
        with self._lock:
            kept = self._found(owner, id_or_name)
            if self._folder is not None:
                self._folder.remove(kept)
            self._forget(kept)

    def _found(self, owner: str, id_or_name: str) -> SupportSet:
        kept = self._sets.get(self._ids.get((owner, id_or_name), id_or_name))
        if kept is None or kept.owner != owner:
            raise Unknown(
                f"There is no support set {id_or_name[:100]!r}.\n"
                "GET /v1/few_shot/support_sets lists those that there are."
            )
        return kept

    def _check_size(self, kept: SupportSet) -> None:
        limits = self._limits
        if len(kept.supports) > limits.visuals:
            raise TooLarge(
                f"The set has {len(kept.supports)} supports, more than the limit of "
                f"{limits.visuals}.\nLeave some out."
            )
        largest = max(len(one.content) for one in kept.supports)
        if largest > limits.visual_bytes:
            raise TooLarge(
                f"A support has a file of {largest:,} bytes, more than the limit of "
                f"{limits.visual_bytes:,}.\nSend a smaller picture or a shorter clip."
            )
        if kept.num_bytes > limits.request_bytes:
            raise TooLarge(
                f"The set has {kept.num_bytes:,} bytes, more than the {limits.request_bytes:,} of "
                "a request.\nLeave some supports out, or send smaller pictures."
            )

    def _check_room(self, kept: SupportSet, old: SupportSet | None) -> None:
        limits = self._limits
        # The new one is written before the old one is gone, but it is gone soon.
        number = len(self._sets) + 1 - (old is not None)
        num_bytes = self._num_bytes + kept.num_bytes - (0 if old is None else old.num_bytes)
        if number > limits.support_sets or num_bytes > limits.support_set_bytes:
            raise StorageFull(
                f"The server keeps up to {limits.support_sets:,} support sets of "
                f"{limits.support_set_bytes:,} bytes, and has no room for one more of "
                f"{kept.num_bytes:,} bytes.\nDelete some."
            )

    def _take_back(self, kept: SupportSet) -> None:
        """Remembers a set of the folder, where no later one has its name."""
        old = self._sets.get(self._ids.get((kept.owner, kept.name), ""))
        try:
            self._check_room(kept, old)
        except StorageFull:
            _LOGGER.warning("The support set %s stays on the disk: there are too many.", kept.id)
            return
        if old is not None:
            # The server ended between the two steps of replacing one.
            self._forget(old)
            self._remove_replaced(old)
        self._remember(kept)

    def _remove_replaced(self, old: SupportSet | None) -> None:
        """Removes a file in whose place a newer one is; the next start does, if this cannot."""
        if old is None or self._folder is None:
            return
        try:
            self._folder.remove(old)
        except StorageFull:
            _LOGGER.warning("The support set %s was replaced, but its file stays.", old.id)

    def _remember(self, kept: SupportSet) -> None:
        self._sets[kept.id] = kept
        self._ids[kept.owner, kept.name] = kept.id
        self._num_bytes += kept.num_bytes

    def _forget(self, kept: SupportSet) -> None:
        del self._sets[kept.id]
        del self._ids[kept.owner, kept.name]
        self._num_bytes -= kept.num_bytes
