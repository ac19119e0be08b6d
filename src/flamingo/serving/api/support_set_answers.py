"""What the routes of support sets give."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from flamingo.serving.support_set_form import shareable
from flamingo.serving.support_sets import SupportSet


class SupportSetObject(BaseModel):
    """A support set, without its examples."""

    id: str
    object: Literal["few_shot.support_set"] = "few_shot.support_set"
    name: str
    num_supports: int
    bytes: int
    created: int

    @classmethod
    def of(cls, kept: SupportSet) -> SupportSetObject:
        """As the store has it."""
        return cls(
            id=kept.id,
            name=kept.name,
            num_supports=len(kept.supports),
            bytes=kept.num_bytes,
            created=int(kept.created),
        )


class SupportSetList(BaseModel):
    """All support sets of a client."""

    object: Literal["list"] = "list"
    data: list[SupportSetObject]


class SupportSetFile(SupportSetObject):
    """A support set with its examples. `POST` takes it again as it is.

    Each support has its `visual` as a `data:` URL, and its fields.
    """

    format: Literal["flamingo-support-set"] = "flamingo-support-set"
    version: Literal[1] = 1
    question: str | None
    template: str | None
    supports: list[dict[str, str]]

    @classmethod
    def of(cls, kept: SupportSet) -> SupportSetFile:
        """As the store has it."""
        return cls(**{**SupportSetObject.of(kept).model_dump(), **shareable(kept)})


class DeletedSet(BaseModel):
    """A support set that is no longer there."""

    id: str
    object: Literal["few_shot.support_set"] = "few_shot.support_set"
    deleted: Literal[True] = True
