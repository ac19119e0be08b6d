"""A named set of supports, as files: nothing is decoded here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flamingo.foundation.errors import ConfigError

MOST_NAME = 100


@dataclass(frozen=True)
class StoredSupport:
    """One example.

    Attributes:
        content: of the file of its image or clip.
        media_type: what its `data:` URL says it is, such as "image/png".
        fields: its texts by name: "output", or "question" and "answer".
    """

    content: bytes = field(repr=False)
    media_type: str
    fields: Mapping[str, str]

    @property
    def num_bytes(self) -> int:
        """Of the file and of the texts."""
        texts = sum(len(name) + len(_bytes(text)) for name, text in self.fields.items())
        return len(self.content) + texts


@dataclass(frozen=True)
class SupportSet:
    """Supports under a name.

    Attributes:
        id: made of all the others but the moment.
        name: that its owner gave it.
        owner: to whom it belongs, as `Keys.owner` says.
        question: of all supports and queries that have none.
        template: name or pattern of the template; None for the model's own choice.
        supports: in the order of the prompt.
        created: in seconds since 1970.
        num_bytes: of all files and texts.
    """

    id: str
    name: str
    owner: str
    question: str | None
    template: str | None
    supports: tuple[StoredSupport, ...]
    created: int
    num_bytes: int

    @classmethod
    def of(
        cls,
        owner: str,
        name: str,
        supports: Sequence[StoredSupport],
        question: str | None,
        template: str | None,
        created: int,
    ) -> SupportSet:
        """A set with the id and the size of its content.

        Raises:
            ConfigError: its name or one of its texts is impossible, or it has no supports.
        """
        _check(name, supports, question, template)
        about = [
            owner,
            name,
            question,
            template,
            [
                [
                    hashlib.sha256(one.content).hexdigest(),
                    one.media_type,
                    sorted(one.fields.items()),
                ]
                for one in supports
            ],
        ]
        digest = hashlib.sha256(json.dumps(about).encode()).hexdigest()
        texts = sum(len(_bytes(text)) for text in (name, question or "", template or ""))
        num_bytes = texts + sum(one.num_bytes for one in supports)
        number = f"set-{digest[:24]}"
        return cls(number, name, owner, question, template, tuple(supports), created, num_bytes)


def _check(
    name: str, supports: Sequence[StoredSupport], question: str | None, template: str | None
) -> None:
    if not (0 < len(name) <= MOST_NAME and name.isprintable() and name == name.strip()):
        raise ConfigError(
            f"{name[:MOST_NAME]!r} is no name of a support set.\nGive 1 to {MOST_NAME} printable "
            "characters, without a space at either end."
        )
    if name.startswith("set-"):
        raise ConfigError(f"The name {name!r} begins like an id.\nGive one without `set-`.")
    if not supports:
        raise ConfigError(f"The support set {name!r} has no supports.\nGive at least one.")
    texts = [question or "", template or ""]
    for one in supports:
        texts += [one.media_type, *one.fields, *one.fields.values()]
        if "visual" in one.fields:
            raise ConfigError("No text of a support may be called 'visual'.")
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ConfigError(f"The text {text[:100]!r} has half a character in it.") from error


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
