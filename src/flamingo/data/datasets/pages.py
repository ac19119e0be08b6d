"""From an interleaved page to a training sequence: a random window, then only its images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from flamingo.data.datasets.annotations import checked_string, json_object, listed
from flamingo.data.datasets.draws import Draws
from flamingo.data.datasets.media import STAND_IN, VisualReader
from flamingo.data.datasets.raw_samples import BrokenSample, RawSample
from flamingo.data.datasets.windows import cut_window
from flamingo.data.encoding import Encoded, Encoder
from flamingo.sequence import Interleaved, Part, draw_sees
from flamingo.sequence.interleaved import tag_count_error

TAG = "<image>"
"""How the place of an image is written in the files, whatever the tokenizer calls it."""
BETWEEN_TEXTS = "\n\n"
"""What stands between two texts of a list that have no image between them."""


@dataclass(frozen=True)
class PageMaker:
    """Makes training sequences of pages.

    Args:
        encoder: turns documents into token ids.
        read_visual: decodes images.
        max_tokens: of one sequence.
        max_visuals: of one sequence.
        p_next: share of pages whose text sees the image after it.

    Paper: Sec. 2.4, 3.1, App. A.3.
    """

    encoder: Encoder
    read_visual: VisualReader
    max_tokens: int
    max_visuals: int
    p_next: float

    def __call__(self, raw: RawSample, draws: Draws) -> Encoded:
        """A window of the page.

        Raises:
            BrokenSample: the page or one of the images in the window cannot be used.
            SequenceError: tags and images do not fit together.
        """
        document, names = parse_page(json_object(raw))
        rng = draws("page")
        sees = "previous" if rng is None else draw_sees(rng, self.p_next)
        window = cut_window(
            self.encoder(document, is_complete=True),
            max_tokens=self.max_tokens,
            max_visuals=self.max_visuals,
            end_of_chunk=self.encoder.prepared.ids.eoc,
            sees=sees,
            rng=rng,
        )
        visuals = tuple(
            self.read_visual(raw, names[number], draws(f"visual {number}"))
            for number in window.visuals
        )
        return replace(window.encoded, visuals=visuals)


def parse_page(fields: dict[str, Any]) -> tuple[Interleaved, list[str]]:
    """A page, with stand-ins for its images, and the names of the images.

    Args:
        fields: a text with tags (`text`), or a list in which texts and images alternate
            (`texts`), and the names of the images (`images`).

    Raises:
        BrokenSample: fields are missing, of other types, or there is no text at all.
        SequenceError: the text has more or fewer tags than there are images.
    """
    if "texts" in fields:
        parts, names = _of_lists(_list(fields, "texts"), _list(fields, "images"))
    elif "text" in fields:
        parts, names = _of_tagged_text(fields["text"], _list(fields, "images"))
    else:
        raise BrokenSample(f"json has no field text or texts, only {listed(fields)}")
    document = Interleaved(tuple(parts))
    if not document.text.strip():
        raise BrokenSample("the page has no text")
    return document, names


def _of_tagged_text(text: object, images: Sequence[object]) -> tuple[list[Part], list[str]]:
    text = checked_string(text, "text")
    names = [_name(image, number) for number, image in enumerate(images)]
    pieces = text.split(TAG)
    if len(pieces) - 1 != len(names):
        raise tag_count_error(text, TAG, len(pieces) - 1, len(names))
    parts: list[Part] = [pieces[0]]
    for piece in pieces[1:]:
        parts += [STAND_IN, piece]
    return parts, names


def _of_lists(texts: Sequence[object], images: Sequence[object]) -> tuple[list[Part], list[str]]:
    if len(texts) != len(images):
        raise BrokenSample(
            f"texts has {len(texts)} entries and images {len(images)}; "
            "they go side by side, with null in one of them"
        )
    parts: list[Part] = []
    names: list[str] = []
    for number, (text, image) in enumerate(zip(texts, images, strict=True)):
        if text is not None and image is not None:
            raise BrokenSample(f"entry {number} has both a text and an image")
        if image is not None:
            parts.append(STAND_IN)
            names.append(_name(image, number))
        elif text is not None:
            parts.append(checked_string(text, f"texts[{number}]"))
    return list(_with_gaps(parts)), names


def _with_gaps(parts: list[Part]) -> Iterator[Part]:
    """Texts side by side were paragraphs: joined as they are, their words would grow together."""
    yield from parts[:1]
    for before, part in pairwise(parts):
        if isinstance(before, str) and isinstance(part, str):
            yield BETWEEN_TEXTS
        yield part


def _list(fields: dict[str, Any], name: str) -> list[object]:
    value = fields.get(name, [])
    if not isinstance(value, list):
        raise BrokenSample(f"{name} is a {type(value).__name__}, not a list")
    return value


def _name(image: object, number: int) -> str:
    name = checked_string(image, f"images[{number}]")
    if not name:
        raise BrokenSample(f"images[{number}] is an empty name")
    return name
