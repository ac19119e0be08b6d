"""Conversations become prompts whose closed turns are what others may share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from flamingo.data.chat_template import dialogue_template
from flamingo.data.image_processor import FlamingoImageProcessor
from flamingo.data.processor import FlamingoProcessor
from flamingo.data.released_styles import IDEFICS, IDEFICS_INSTRUCT, OPEN_FLAMINGO
from flamingo.data.tagged_text import open_document
from flamingo.foundation.errors import SequenceError
from flamingo.miniature.tokenizer import build_tokenizer
from flamingo.prompting import CAPTION, Example, query_prompt, support_prompt
from flamingo.sequence import EndOfChunk, Interleaved, Visual, mark_up
from flamingo.serving.api.conversation import Conversations, Turn

_DIALOGUE = {"chat_template": dialogue_template("<image>", "<video>", "<EOC>")}
STYLES: Mapping[str, Mapping[str, Any]] = {
    "few-shot": {},
    "dialogue": _DIALOGUE,
    "open_flamingo": OPEN_FLAMINGO,
    "idefics": IDEFICS,
    "idefics-instruct": IDEFICS_INSTRUCT,
}


def processor(style: str = "few-shot") -> FlamingoProcessor:
    return FlamingoProcessor(FlamingoImageProcessor(16), build_tokenizer(), **STYLES[style])


def picture(value: int, frames: int = 1) -> Visual:
    return Visual(np.full((frames, 4, 4, 3), value, np.uint8))


def turns(last: str = "Output:") -> list[Turn]:
    return [
        Turn("system", ("Be brief.",)),
        Turn("user", (picture(1), "Output:")),
        Turn("assistant", ("a dax",)),
        Turn("user", (picture(2, frames=3), picture(3), "Output:\nagain")),
        Turn("assistant", (" a wug",)),
        Turn("user", ("And: ", picture(9), last)),
    ]


def content(document: Interleaved) -> list[object]:
    return [p.fingerprint() if isinstance(p, Visual) else p for p in document.parts]


def written(own: FlamingoProcessor, asked: Sequence[Turn]) -> Interleaved:
    """The conversation as the processor itself writes it."""
    markup = own.encoder().prepared.markup
    text = own.apply_chat_template([t.written() for t in asked], add_generation_prompt=True)
    text = text.replace(own.video_tag, markup.image).removeprefix(markup.bos)
    visuals = [part for turn in asked for part in turn.parts if isinstance(part, Visual)]
    return open_document(text, visuals, markup)


@pytest.mark.parametrize("style", STYLES)
def test_both_parts_together_are_the_conversation(style: str) -> None:
    own = processor(style)
    markup = own.encoder().prepared.markup
    for first in range(4):
        asked = turns()[first:]
        prompt, whole = Conversations(own).prompt(asked), written(own, asked)
        texts = [mark_up(d, markup, is_complete=False).text for d in (prompt.whole, whole)]
        assert texts[0] == texts[1]
        assert [v.fingerprint() for v in prompt.whole.visuals] == [
            v.fingerprint() for v in whole.visuals
        ]
        if not markup.is_eoc_text:
            assert content(prompt.whole) == content(whole)


@pytest.mark.parametrize("style", STYLES)
def test_the_same_history_is_read_once(style: str) -> None:
    conversations = Conversations(processor(style))
    first, second = (conversations.prompt(turns(last)) for last in ("Output:", "What?"))
    assert content(first.before) == content(second.before)
    assert content(first.query) != content(second.query)
    assert isinstance(first.before.parts[-1], EndOfChunk)
    assert [v.num_frames for v in first.before.visuals] == [1, 3, 1]
    assert [v.num_frames for v in first.query.visuals] == [1]


def test_turns_are_the_supports_of_a_few_shot_prompt() -> None:
    prompt = Conversations(processor()).prompt(
        [
            Turn("user", (picture(1), "Output:")),
            Turn("assistant", ("a dax",)),
            Turn("user", (picture(9), "Output:")),
        ]
    )
    support = Example((picture(1),), {"output": "a dax"})
    assert content(prompt.before) == content(support_prompt([support], CAPTION))
    assert content(prompt.query) == content(query_prompt(Example((picture(9),)), CAPTION))


def test_nothing_is_shared_where_no_turn_is_closed() -> None:
    own = Conversations(processor())
    assert own.prompt([Turn("user", ("Hello",))]).before == Interleaved()
    assert own.prompt([Turn("user", ("One",)), Turn("user", ("Two",))]).before == Interleaved()


def test_a_history_that_is_written_in_another_way_is_not_shared() -> None:
    template = (
        "{{- bos_token -}}{%- for m in messages -%}{{- loop.length -}}"
        "{{- m['content'][0]['text'] -}}{{- '<EOC>' -}}{%- endfor -%}"
    )
    own = FlamingoProcessor(FlamingoImageProcessor(16), build_tokenizer(), template)
    prompt = Conversations(own).prompt([Turn("user", ("a",)), Turn("user", ("b",))])
    assert prompt.before == Interleaved()
    assert prompt.whole.text == "2a2b"


def test_texts_with_tags_are_refused() -> None:
    own = Conversations(processor())
    for tag in ("<image>", "<video>", "<EOC>"):
        with pytest.raises(SequenceError, match=tag):
            own.prompt([Turn("user", (f"a {tag}",))])


def test_what_a_template_cannot_write_is_the_request_s_fault() -> None:
    own = FlamingoProcessor(
        FlamingoImageProcessor(16), build_tokenizer(), "{{- raise_exception('not this') -}}"
    )
    with pytest.raises(SequenceError, match="not this"):
        Conversations(own).prompt([Turn("user", ("a",))])
