"""Text, images and videos in any order, as a user thinks of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from flamingo.foundation.errors import SequenceError
from flamingo.sequence.visual import Visual


class EndOfChunk(Enum):
    """How a chunk of text is closed: `END_OF_CHUNK`, or without what a markup has behind it."""

    END = "end of chunk"
    BARE = "end of chunk with nothing behind it"


END_OF_CHUNK = EndOfChunk.END
"""Closes a chunk of text that no visual follows, as in examples without their visuals."""

Part = str | Visual | EndOfChunk


@dataclass(frozen=True)
class Interleaved:
    """A document: strings, visuals and chunk ends in the order in which they are read.

    Neighboring strings are joined, empty ones are dropped, documents inside are opened up.

    Raises:
        SequenceError: a part is something else.

    Example:
        >>> page = Interleaved.of("Two pets: ", "a cat", " and a dog.")
        >>> page.parts
        ('Two pets: a cat and a dog.',)

    Paper: Sec. 2.1, 2.4.
    """

    parts: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(_joined(_flattened(self.parts))))

    @classmethod
    def of(cls, *parts: Part | Interleaved) -> Interleaved:
        """The document of these parts in this order."""
        return cls(tuple(_flattened(parts)))

    @classmethod
    def from_tagged(
        cls,
        text: str,
        visuals: Sequence[Visual],
        *,
        tag: str = "<image>",
        end_of_chunk: str = "<EOC>",
        after_end: str = "",
    ) -> Interleaved:
        """The document of a text in which each `tag` stands for the next visual.

        Args:
            text: the text with its tags.
            visuals: what the tags stand for.
            tag: how the tag of a visual is written.
            end_of_chunk: how the end of a chunk is written; empty if it has no tag.
            after_end: what belongs to the end of a chunk, where it stands behind it.

        Raises:
            SequenceError: the number of tags is not the number of visuals.
        """
        num_tags = text.count(tag)
        if num_tags != len(visuals):
            raise tag_count_error(text, tag, num_tags, len(visuals))
        remaining = iter(visuals)
        parts: list[Part] = []
        ends = {end_of_chunk: EndOfChunk.BARE, end_of_chunk + after_end: END_OF_CHUNK}
        known = [tag, *sorted(ends, key=len, reverse=True)] if end_of_chunk else [tag]
        for piece in re.split(f"({'|'.join(map(re.escape, known))})", text):
            if piece == tag:
                parts.append(next(remaining))
            else:
                parts.append(ends.get(piece, piece) if end_of_chunk else piece)
        return cls(tuple(parts))

    @property
    def visuals(self) -> tuple[Visual, ...]:
        """The images and videos, in order."""
        return tuple(part for part in self.parts if isinstance(part, Visual))

    @property
    def text(self) -> str:
        """The text alone, without tags."""
        return "".join(part for part in self.parts if isinstance(part, str))

    def __add__(self, other: Part | Interleaved) -> Interleaved:
        return Interleaved.of(self, other)


def _flattened(parts: Iterable[object]) -> Iterable[Part]:
    for position, part in enumerate(parts):
        if isinstance(part, Interleaved):
            yield from part.parts
        elif isinstance(part, str | Visual | EndOfChunk):
            yield part
        else:
            raise SequenceError(
                f"part {position} of the document is a {type(part).__name__}.\n"
                "A document holds strings, `Visual`s and END_OF_CHUNK. "
                "`flamingo.data.load_visual` makes a `Visual` of a file, a picture or an array."
            )


def _joined(parts: Iterable[Part]) -> list[Part]:
    joined: list[Part] = []
    for part in parts:
        if part == "":
            continue
        if joined and isinstance(part, str) and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return joined


def tag_count_error(text: str, tag: str, num_tags: int, num_visuals: int) -> SequenceError:
    """The error of a text whose tags and visuals are not equally many."""
    shown = text if len(text) <= 200 else text[:200] + "…"
    if num_tags > num_visuals:
        advice = f"Give {counted(num_tags, 'visual')}, or remove a tag."
    else:
        advice = f"Add {counted(num_visuals - num_tags, 'tag')}, or give fewer visuals."
    return SequenceError(
        f"the text has {counted(num_tags, f'{tag} tag')} but {counted(num_visuals, 'visual')} "
        f"{'was' if num_visuals == 1 else 'were'} given.\n"
        f"Each {tag} tag stands for exactly one image or video, in the order they appear.\n"
        f'Text: "{shown}"   {advice}'
    )


def counted(number: int, noun: str) -> str:
    """The number with its noun: "1 visual", "2 visuals"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
