"""A page as a sample of a shard: its texts and images side by side, as trainings read it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from flamingo.data.collection.pages import Page, TextNode


def sample_of_page(page: Page) -> dict[str, bytes]:
    """The members of a page's sample. All its images have been read.

    `json` has `texts` and `images` of one length, with null in one of them (the layout of OBELICS,
    see `docs/data-formats.md`), and where the page is from; images follow as 000.jpg, 001.png, …
    """
    texts: list[str | None] = []
    images: list[str | None] = []
    told: list[dict[str, Any]] = []
    members: dict[str, bytes] = {}
    for node in page.nodes:
        if isinstance(node, TextNode):
            texts.append(node.text)
            images.append(None)
            continue
        assert node.image is not None
        name = f"{len(told):03d}.{node.image.ending}"
        members[name] = node.image.data
        texts.append(None)
        images.append(name)
        told.append(
            {
                "name": name,
                # A picture that came inside of the page has no address worth keeping.
                "url": "data:" if node.address.startswith("data:") else node.address,
                "alt": node.alt,
                "width": node.image.original_width,
                "height": node.image.original_height,
                "sha256": node.image.sha256,
            }
        )
    fields = {
        "texts": texts,
        "images": images,
        "url": page.address,
        "title": page.title,
        "language": page.language,
        "license": page.license,
        "date": page.date,
        "image_details": told,
    }
    return {"json": _json(fields), **members}


def without(
    members: Mapping[str, bytes],
    images: Collection[int] = (),
    texts: Collection[int] = (),
) -> dict[str, bytes]:
    """A sample without some of its images and texts.

    Args:
        members: of the sample.
        images: numbers of those images that go, counted over all images.
        texts: numbers of those texts that go, counted over all texts.
    """
    if not images and not texts:
        return dict(members)
    fields = json.loads(members["json"])
    kept: list[tuple[str | None, str | None]] = []
    gone: set[str] = set()
    image_number = text_number = -1
    for text, image in zip(fields["texts"], fields["images"], strict=True):
        if image is not None:
            image_number += 1
            if image_number in images:
                gone.add(image)
                continue
        else:
            text_number += 1
            if text_number in texts:
                continue
        kept.append((text, image))
    fields["texts"] = [text for text, _ in kept]
    fields["images"] = [image for _, image in kept]
    fields["image_details"] = [one for one in fields["image_details"] if one["name"] not in gone]
    others = {name: data for name, data in members.items() if name != "json" and name not in gone}
    return {"json": _json(fields), **others}


def _json(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
