"""From texts with tags, and the visuals that came along, to documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from flamingo.data.visual_rows import visual_rows
from flamingo.foundation.errors import SequenceError
from flamingo.sequence import Interleaved, Markup, Visual


def documents_of(
    texts: Sequence[str],
    images: Any,
    videos: Any,
    markup: Markup,
    video_tag: str,
    load: Callable[[Any], Visual],
) -> list[tuple[Interleaved, bool]]:
    """Each text as a document, and whether it is complete, that is ends in `<EOS>`.

    Args:
        texts: one per row; a `<BOS>` at the beginning is optional.
        images: what the image tags stand for, see `visual_rows`.
        videos: what the video tags stand for; the image tags if there are no images.
        markup: how the tags are written.
        video_tag: how the tag of a video is written.
        load: reads a visual.

    Raises:
        SequenceError: tags and visuals do not fit together.
    """
    if images is None and videos is not None:
        texts = [text.replace(video_tag, markup.image) for text in texts]
        images, videos, lists_are_videos = videos, None, True
    else:
        lists_are_videos = False
    image_rows = visual_rows(images, texts, tag=markup.image, lists_are_videos=lists_are_videos)
    video_rows = visual_rows(videos, texts, tag=video_tag, lists_are_videos=True)
    documents = []
    for text, image_row, video_row in zip(texts, image_rows, video_rows, strict=True):
        sources = {markup.image: iter(image_row), video_tag: iter(video_row)}
        tags = re.findall(f"{re.escape(markup.image)}|{re.escape(video_tag)}", text)
        visuals = [load(next(sources[tag])) for tag in tags]
        documents.append(_document(text.replace(video_tag, markup.image), visuals, markup))
    return documents


def open_document(text: str, visuals: Sequence[Visual], markup: Markup) -> Interleaved:
    """The document of one text, without the tags at its beginning and its end.

    What belongs around an image tag may stand there already. A chunk's end that is ordinary text
    stays part of the text.

    Args:
        text: with one image tag per visual.
        visuals: in the order of the tags.
        markup: how the tags are written.

    Raises:
        SequenceError: the number of tags is not the number of visuals.
    """
    if markup.around_image:
        text = _without_surroundings(text, markup)
    return Interleaved.from_tagged(
        text,
        visuals,
        tag=markup.image,
        end_of_chunk="" if markup.is_eoc_text else markup.eoc,
        after_end=markup.after_eoc,
    )


def refuse_tags_in_chat(conversation: Any, tags: Sequence[str]) -> Any:
    """The conversation, with base64 content as URLs.

    Raises:
        SequenceError: a turn's text contains a tag, which would be read as a visual.
    """
    if isinstance(conversation, list | tuple):
        return [refuse_tags_in_chat(turn, tags) for turn in conversation]
    if not isinstance(conversation, dict) or "content" not in conversation:
        return conversation
    content = conversation["content"]
    if isinstance(content, str):
        _refuse(content, tags)
    elif isinstance(content, list | tuple):
        content = [_checked_part(part, tags) for part in content]
    return {**conversation, "content": content}


def _checked_part(part: Any, tags: Sequence[str]) -> Any:
    if not isinstance(part, dict):
        return part
    if isinstance(part.get("text"), str):
        _refuse(part["text"], tags)
    if "base64" in part:
        others = {key: value for key, value in part.items() if key != "base64"}
        return {**others, part.get("type", "image"): f"data:;base64,{part['base64']}"}
    return part


def _refuse(text: str, tags: Sequence[str]) -> None:
    for tag in tags:
        if tag in text:
            raise SequenceError(
                f"the text of a turn contains the tag {tag} itself.\n"
                "In a conversation visuals are content parts, and tags are put in for you.\n"
                f'Text: "{text[:200]}"   Remove the tag, or give the visual as a part.'
            )


def _document(text: str, visuals: list[Visual], markup: Markup) -> tuple[Interleaved, bool]:
    text = text.removeprefix(markup.bos)
    is_complete = text.endswith(markup.eos)
    text = text.removesuffix(markup.eos)
    if is_complete and markup.is_eoc_text:
        # It is put there again, as behind every complete document.
        text = text.removesuffix(markup.eoc)
    return open_document(text, visuals, markup), is_complete


def _without_surroundings(text: str, markup: Markup) -> str:
    """The text with image tags alone, where what belongs around them is there already."""
    image, around = re.escape(markup.image), re.escape(markup.around_image)
    return re.sub(f"(?:{around})?({image})(?:{around})?", r"\1", text)
