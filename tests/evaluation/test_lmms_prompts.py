"""A request of lmms-eval becomes the prompt that its task or a template writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flamingo.evaluation.lmms_prompts import LmmsPrompts
from flamingo.foundation.errors import ConfigError, DataError, SequenceError
from flamingo.sequence import Markup, Visual, mark_up

PICTURES = [Image.fromarray(np.full((4, 5, 3), value, np.uint8)) for value in (10, 200)]
DOCUMENT = {"question": "what color?", "year": 2014}


def written(prompts: LmmsPrompts, text: str, visuals: list[Image.Image] | None = None) -> str:
    prompt = prompts(text, visuals, DOCUMENT)
    assert [visual.fingerprint() for visual in prompt.visuals] == [
        Visual.from_image(picture).fingerprint() for picture in visuals or ()
    ]
    return mark_up(prompt, Markup(bos="", eos=""), is_complete=False).text


def test_visuals_stand_before_a_text_without_tags() -> None:
    assert written(LmmsPrompts(), "What is it? ", PICTURES) == written(
        LmmsPrompts(), "<image><image>What is it?", PICTURES
    )


def test_a_text_may_say_where_visuals_stand() -> None:
    said = written(LmmsPrompts(), "First: <image> second: <image> Which?", PICTURES)
    assert said == "First: <EOC><image> second: <EOC><image> Which?"


def test_a_text_may_stand_alone() -> None:
    assert written(LmmsPrompts(), "What is it?") == "What is it?"


def test_a_template_takes_its_fields_from_the_document() -> None:
    named, own = LmmsPrompts("question-answer"), LmmsPrompts("In {year}: {question} It is")
    assert written(named, "not used", PICTURES[:1]) == "<image>Question: what color? Answer:"
    assert written(own, "not used", PICTURES[:1]) == "<image>In 2014: what color? It is"


def test_examples_stand_before_the_query_as_text(tmp_path: Path) -> None:
    file = tmp_path / "examples.json"
    file.write_text('[{"question": "a?", "answer": "b"}, {"question": "c?", "answer": 1}]')
    said = written(LmmsPrompts("question-answer", str(file)), "not used", PICTURES[:1])
    assert said == (
        "Question: a? Answer: b<EOC>Question: c? Answer: 1<EOC><image>Question: what color? Answer:"
    )


def test_a_field_that_documents_lack_is_named() -> None:
    with pytest.raises(ConfigError, match=r"field 'meme_text', .* They have question, year"):
        LmmsPrompts("hateful-memes")("text", [], DOCUMENT)
    with pytest.raises(ConfigError, match=r"They have \(none\)"):
        LmmsPrompts("question-answer")("text", [], None)


def test_more_tags_than_visuals_are_an_error() -> None:
    with pytest.raises(SequenceError, match="2 <image> tags but 1 visual was given"):
        LmmsPrompts()("<image><image>", PICTURES[:1], DOCUMENT)


@pytest.mark.parametrize("content", [None, "{", '{"a": 1}', "[1]", "1"])
def test_a_file_of_examples_that_is_none_is_named(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "examples.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(DataError, match=r"examples\.json is not a file of text examples"):
        LmmsPrompts("caption", str(file))
