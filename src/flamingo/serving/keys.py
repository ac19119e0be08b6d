"""The keys by which a server knows who asks."""

from __future__ import annotations

import hashlib
import hmac
import logging
import stat
from collections.abc import Sequence
from pathlib import Path

from flamingo.foundation.errors import ConfigError
from flamingo.serving.errors import KeyRefused

_LOGGER = logging.getLogger("flamingo.serving")
_FEWEST_CHARACTERS = 16
_MOST_BYTES = 2**20


class Keys:
    """Knows keys by their hashes.

    Args:
        keys: any of which opens the server; without any it is open to all.

    Raises:
        ConfigError: a key is short, or has characters that no header can carry.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        for number, key in enumerate(keys, start=1):
            _check(key, f"key {number} of {len(keys)}")
        self._owners = {_digest(key): _owner(key) for key in keys}

    @classmethod
    def read(cls, path: Path) -> Keys:
        """The keys of a file: one in each line; a `#` begins a comment, alone or behind a key.

        Raises:
            ConfigError: the file cannot be read, has no key, or one that is none.
        """
        try:
            with path.open("rb") as file:
                mode = stat.S_IMODE(path.stat().st_mode)
                text = file.read(_MOST_BYTES).decode()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"The keys in {path} cannot be read: {error}.") from error
        if mode & (stat.S_IRGRP | stat.S_IROTH):
            _LOGGER.warning("Others may read the keys in %s. Run: chmod 600 %s", path, path)
        keys = []
        for number, line in enumerate(text.splitlines(), start=1):
            key = line.partition("#")[0].strip()
            if key:
                _check(key, f"the key in line {number} of {path}")
                keys.append(key)
        if not keys:
            raise ConfigError(f"{path} has no key.\nWrite one in each line.")
        return cls(keys)

    def __bool__(self) -> bool:
        return bool(self._owners)

    def owner(self, authorization: str | None) -> str:
        """A short name for who asks, made of a hash of the key; "" if the server is open to all.

        How long it takes says nothing about the keys.

        Args:
            authorization: the header of that name.

        Raises:
            KeyRefused: there is no key in it, or none that is known.
        """
        if not self._owners:
            return ""
        scheme, _, key = (authorization or "").strip().partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise KeyRefused(
                "This server needs an API key.\nSend it as the header Authorization: Bearer KEY."
            )
        given = _digest(key.strip())
        found = [name for known, name in self._owners.items() if hmac.compare_digest(known, given)]
        if not found:
            raise KeyRefused("This API key is not known here.\nCheck it, or ask for one.")
        return found[0]


def _check(key: str, what: str) -> None:
    if len(key) < _FEWEST_CHARACTERS:
        raise ConfigError(
            f"{what} has {len(key)} characters, but at least {_FEWEST_CHARACTERS} are needed.\n"
            'Make one: python -c "import secrets; print(secrets.token_urlsafe(32))"'
        )
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ConfigError(f"{what} has a space, or characters that are not ASCII.")


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def _owner(key: str) -> str:
    # Not the digest that is compared: this one may be seen.
    name = hashlib.blake2b(key.encode(), digest_size=8, person=b"owner").hexdigest()
    return f"key-{name}"
