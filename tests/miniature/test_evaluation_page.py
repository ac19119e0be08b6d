"""The page of an evaluation stands on its own, and says everything in words too."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from flamingo.inference.predictor import Answer
from flamingo.miniature.evaluation_page import Chart, EvaluationPage, evaluation_page
from flamingo.miniature.replies import Reply, TaskReplies, attention_rows
from flamingo.miniature.samples import world_rows
from flamingo.miniature.tasks import TASKS
from tests.tiny_predictor import tiny_predictor

CLOSED, CLIP = TASKS["new-word-2"], TASKS["clip-motion"]


def answered(name: str, answer: str | None = None) -> TaskReplies:
    task = TASKS[name]
    episode = task.build(0, 0, 2)
    choices = tuple((text, -1.0 - place) for place, text in enumerate(episode.candidates))
    said = answer or episode.answer
    reply = Reply(Answer(said, -1.0, choices), episode.answer, "<image>the prompt", episode)
    return TaskReplies(name, True, 2, 7, 9, (reply,), task)


PAGE = EvaluationPage(
    title="Scores of <a model>",
    charts=[Chart("Curves", "How to read them.", "What they tell.", b"\x89PNG")],
    table=[["task", "", "0 shots", "chance"], ["digits", "dev", "50.0", "50.0"]],
    notes=["A note."],
    attention=(),
    answered=[answered("new-word-2"), answered("clip-motion", "does <nothing>")],
    world=world_rows([CLOSED, CLIP], seed=0),
    facts={"command": "flamingo evaluate"},
    warnings=["Something is missing."],
)


@pytest.fixture(scope="module")
def html() -> str:
    return evaluation_page(PAGE)


def test_nothing_points_outside(html: str) -> None:
    sources = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert sources
    assert all(source.startswith(("data:image/", "#")) for source in sources)
    assert not re.findall(r"//\w|@import|url\(", re.sub(r'"data:[^"]*"', "", html))


def test_every_picture_has_words_for_those_who_cannot_see_it(html: str) -> None:
    pictures = re.findall(r"<img [^>]*>", html)
    assert len(pictures) > 10
    assert all(re.search(r'alt="[^"]{5,}"', picture) for picture in pictures)


def test_links_lead_to_parts_that_there_are(html: str) -> None:
    names = re.findall(r'href="#(\w+)"', html)
    assert "world" in names
    assert all(f'id="{name}"' in html for name in names)
    assert "attention" not in names


def test_it_tells_what_it_was_given(html: str) -> None:
    for text in ("A note.", "Something is missing.", "flamingo evaluate", "7 of 9 right"):
        assert text in html
    assert "prefers-color-scheme: dark" in html
    assert html.index('class="scroll"') < html.index('<table class="scores">')


def test_what_a_model_says_is_text_and_no_markup(html: str) -> None:
    assert "does &lt;nothing&gt;" in html
    assert "Scores of &lt;a model&gt;" in html


def test_an_answer_that_cannot_be_drawn_is_shown_with_its_prompt() -> None:
    one = answered("new-word-2")
    lost = replace(one, task=None, replies=(replace(one.replies[0], episode=None),))
    html = evaluation_page(replace(PAGE, answered=[lost], world=()))
    assert "&lt;image&gt;the prompt" in html
    assert "the prompt" not in evaluation_page(PAGE)
    assert 'id="world"' not in html


def test_attention_lies_on_the_query_that_was_asked() -> None:
    predictor = tiny_predictor()
    right, wrong = answered("new-word-2"), answered("clip-motion", "dances")
    lost = replace(right, task=None)
    rows = attention_rows(predictor, [right, wrong, lost])
    assert [row.title for row in rows] == ["new-word-2", "clip-motion"]
    for row, task in zip(rows, (CLOSED, CLIP), strict=True):
        query, looked = row.tiles
        asked = task.build(0, 0, 2).query.visuals[0]
        assert query.visual.fingerprint() == asked.fingerprint()
        assert looked.visual.frames.shape == asked.frames.shape
        assert looked.visual.fingerprint() != asked.fingerprint()
    assert rows[0].tiles[1].tone == "right"
    assert rows[1].tiles[1].tone == "wrong"
    assert "dances (but it is: " in rows[1].tiles[1].caption
