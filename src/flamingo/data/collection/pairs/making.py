"""From a caption and an image file to samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from flamingo.data.collection.made_samples import MadeSample, Refused, refused, sample_json
from flamingo.data.collection.pages import ImageNode, LoadedImage, Page, Step, TextNode
from flamingo.data.collection.pairs.frequency import text_hash
from flamingo.data.collection.pairs.settings import PairSettings
from flamingo.data.collection.pairs.texts import cleaned, refusal
from flamingo.foundation.randomness import generator

ImageLoader = Callable[[bytes], LoadedImage | str]
"""An image of the bytes of a file, checked and written anew, or why there is none."""


def usable_texts(
    texts: Iterable[str], settings: PairSettings, frequent: frozenset[int] = frozenset()
) -> Iterator[str | Refused]:
    """Each text, cleaned, or why it makes no pair.

    Args:
        texts: captions of one image.
        settings: see there.
        frequent: hashes of texts that too many images have.
    """
    seen = set()
    for text in texts:
        text = cleaned(text, settings)
        if (problem := refusal(text, settings)) is not None:
            yield problem
        elif text in seen:
            yield refused("words", "the same image has the same text already", text)
        elif text_hash(text) in frequent:
            most = settings.max_same_text
            yield refused("frequent", f"more than {most} images have this text", text)
        else:
            seen.add(text)
            yield text


def drawn(texts: Sequence[str], settings: PairSettings, key: str) -> Sequence[str]:
    """Those of several texts of one image that become samples."""
    if settings.captions == "all" or len(texts) < 2:
        return texts
    return [texts[int(generator("caption", settings.seed, key).integers(len(texts)))]]


def image_problem(image: LoadedImage, settings: PairSettings) -> str | None:
    """Why an image makes no pair, whatever its text; None if it may."""
    width, height = image.original_width, image.original_height
    if min(width, height) < settings.min_side:
        return f"{width}x{height} pixels, no side below {settings.min_side}"
    aspect = max(width, height) / min(width, height)
    if aspect > settings.max_aspect:
        return f"aspect ratio {aspect:.1f}, at most {settings.max_aspect:g}"
    return "it is of one color" if image.perceptual_hash is None else None


def pair_samples(
    key: str,
    texts: Sequence[str],
    image: LoadedImage,
    provenance: Mapping[str, Any],
    settings: PairSettings,
    steps: Sequence[Step] = (),
) -> Iterator[MadeSample | Refused]:
    """A sample for each text of an image, or why the image makes none.

    Args:
        key: of the sample; where there are several, each gets its number behind it.
        texts: cleaned, at least one.
        image: as it was loaded.
        provenance: what the `json` keeps beside the text.
        settings: see there.
        steps: of pages, each of which a pair has to pass like a page of its text and its image.
    """
    address = str(provenance.get("url") or provenance.get("path") or key)
    if problem := image_problem(image, settings):
        yield refused("image", problem, address)
        return
    sizes = {"original_width": image.original_width, "original_height": image.original_height}
    for number, text in enumerate(texts):
        if (failed := _failed(address, text, image, steps)) is not None:
            yield failed
            continue
        members = {
            image.ending: image.data,
            "json": sample_json(text, {**provenance, **sizes}),
        }
        yield MadeSample(f"{key}-{number}" if len(texts) > 1 else key, members, text, image)


def _failed(address: str, text: str, image: LoadedImage, steps: Sequence[Step]) -> Refused | None:
    """What the first step says that takes a pair's text or image away."""
    node = ImageNode(address, alt=text, image=image)
    page = Page(address, "", (node, TextNode(text, "caption")))
    for step in steps:
        outcome = step(page)
        if outcome.page is None or len(outcome.page.nodes) < len(page.nodes):
            why = outcome.removals[0].reason if outcome.removals else "it was removed"
            return refused(step.name, why, address)
        page = outcome.page
    return None
