"""Queries with supports, over HTTP, are answered as a `Predictor` answers them."""

from __future__ import annotations

import json
from typing import Any

import httpx2 as httpx
import pytest

from flamingo.inference.predictor import Predictor
from tests.serving.api.running import Running, episode, few_shot_body, url_of


def post(server: Running, body: dict[str, Any]) -> httpx.Response:
    return httpx.post(f"{server.url}/v1/few_shot", json=body, timeout=60)


def answered(server: Running, body: dict[str, Any]) -> dict[str, Any]:
    answer = post(server, body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refused(server: Running, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    answer = post(server, body)
    return answer.status_code, answer.json()["error"]


@pytest.fixture(scope="module")
def alone() -> Predictor:
    """Another one than the engine's, which nobody else may use."""
    return Predictor.from_pretrained("miniature", dtype="steady")


@pytest.mark.parametrize("beams", [1, 3])
def test_an_open_answer_is_the_predictor_s(server: Running, alone: Predictor, beams: int) -> None:
    shown = episode(index=3)
    found = answered(server, few_shot_body(shown, num_beams=beams))
    expected = alone.answer(shown.query, supports=shown.supports, num_beams=beams)
    assert found["answer"] == expected.text == shown.answer
    assert found["score"] == pytest.approx(expected.score, abs=1e-3)
    assert found["object"] == "few_shot.answer"
    assert found["finish_reason"] == "stop"
    assert "choices" not in found
    assert "explanation" not in found
    usage = found["usage"]
    assert usage["num_visuals"] == 5
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


@pytest.mark.parametrize("beams", [1, 2])
def test_supports_that_were_read_are_free(server: Running, beams: int) -> None:
    body = few_shot_body(episode(index=4 + beams), num_beams=beams)
    first, second = answered(server, body), answered(server, body)
    assert second["answer"] == first["answer"]
    assert second["usage"]["prompt_tokens_details"]["cached_tokens"] > 0


def test_a_choice_comes_with_the_scores_of_all(server: Running, alone: Predictor) -> None:
    shown = episode("new-word-2", shots=4)
    found = answered(server, few_shot_body(shown, choices=list(shown.candidates)))
    expected = alone.answer(shown.query, supports=shown.supports, choices=shown.candidates)
    scores = {one["text"]: one["score"] for one in found["choices"]}
    assert scores == pytest.approx(dict(expected.choices), abs=1e-3)
    assert found["answer"] == shown.answer == found["choices"][0]["text"]
    assert {one["text"] for one in found["choices"]} == set(shown.candidates)
    assert sum(one["probability"] for one in found["choices"]) == pytest.approx(1)
    assert found["score"] == found["choices"][0]["score"] >= found["choices"][1]["score"]


def events(answer: httpx.Response) -> list[str]:
    return [one.removeprefix("data: ") for one in answer.text.strip().split("\n\n")]


def test_a_stream_ends_with_the_whole_answer(server: Running) -> None:
    shown = episode(index=3)
    *chunks, whole, done = events(post(server, few_shot_body(shown, stream=True)))
    assert done == "[DONE]"
    said = [json.loads(chunk) for chunk in chunks]
    answer = json.loads(whole)
    assert {one["object"] for one in said} == {"few_shot.answer.chunk"}
    assert {one["id"] for one in said} == {answer["id"]}
    assert "".join(one["delta"] for one in said) == answer["answer"] == shown.answer
    tokens = [token for one in said for token in one["tokens"]]
    assert all(token["alternatives"][0]["text"] == token["text"] for token in tokens)
    assert answer["score"] <= sum(token["log_probability"] for token in tokens) + 1e-6


def test_an_answer_is_explained(server: Running) -> None:
    shown = episode("new-word-2", shots=4)
    found = answered(server, few_shot_body(shown, choices=list(shown.candidates), explain=True))
    explanation = found["explanation"]
    assert len(explanation["support_effects"]) == 4
    [frame] = explanation["attention"]
    assert sum(sum(row) for row in frame) == pytest.approx(1, abs=1e-3)
    assert len(explanation["area"]) == 4
    assert explanation["score"] == pytest.approx(found["score"], abs=1e-2)


def test_a_question_is_asked(server: Running) -> None:
    shown = episode("question-color", shots=4)
    body = few_shot_body(shown)
    assert answered(server, body)["answer"] == shown.answer
    # Asked once, of the query: supports that have none of their own share it.
    for support in body["supports"]:
        del support["question"]
    assert post(server, body).status_code == 200


def test_a_pattern_is_a_template(server: Running) -> None:
    shown = episode(index=3)
    body = few_shot_body(shown)
    named = answered(server, {**body, "template": "caption"})
    written = answered(server, {**body, "template": "Output: {output}"})
    assert written["answer"] == named["answer"]
    assert written["score"] == pytest.approx(named["score"], abs=1e-4)
    for support in body["supports"]:
        support["word"] = support.pop("output")
    other = answered(server, {**body, "template": "Output: {word}"})
    assert other["score"] == pytest.approx(named["score"], abs=1e-4)


def test_answers_can_be_drawn(server: Running) -> None:
    body = few_shot_body(episode(index=3), temperature=2.0, seed=1)
    assert answered(server, body)["answer"] == answered(server, body)["answer"]
    drawn = {answered(server, {**body, "seed": seed})["answer"] for seed in range(6)}
    assert len(drawn) > 1


def test_without_supports(server: Running) -> None:
    body = {"query": {"visual": url_of(episode().query.visuals[0])}, "max_tokens": 2}
    found = answered(server, body)
    assert found["usage"]["num_visuals"] == 1
    assert found["finish_reason"] in ("stop", "length")


SHOWN = episode(shots=1)
BODY = few_shot_body(SHOWN)
VISUAL = BODY["query"]["visual"]


@pytest.mark.parametrize(
    ("given", "param", "says"),
    [
        ({"query": {}}, "query.visual", "missing"),
        ({"query": {"visual": VISUAL, "output": "a"}}, "query.output", "to be found"),
        ({"query": {"visual": VISUAL, "color": "a"}}, "query.color", "no place"),
        ({"query": {"visual": VISUAL, "color": 3}}, "query.color", "string"),
        ({"query": {"visual": {"path": "/a"}}}, "query.visual.path", "no field"),
        ({"supports": [{"visual": VISUAL}]}, "supports[0]", "no answer"),
        ({"supports": [{"visual": VISUAL, "output": "a", "answer": "b"}]}, "supports[0]", "twice"),
        (
            {"supports": [{"visual": VISUAL, "question": "Why?", "answer": "b"}]},
            "query.question",
            "question",
        ),
        ({"template": "captoin"}, "template", "Did you mean 'caption'"),
        ({"template": "{a.b} {output}"}, "template", "plain name"),
        ({"template": "question-answer"}, "supports[0].question", "question"),
        ({"choices": []}, "choices", "one or more"),
        ({"choices": ["a", "a"]}, "choices", "twice"),
        ({"choices": ["a"], "temperature": 1}, "temperature", "no meaning"),
        ({"stream": True, "num_beams": 3}, "num_beams", "beam"),
        ({"num_beams": 1000}, "num_beams", "at most"),
        ({"max_tokens": 0}, "max_tokens", "greater"),
        ({"colour": "red"}, "colour", "no field"),
        ({"query": {"visual": "data:image/png;base64,AAAA"}}, "query.visual", "the file (3 bytes)"),
    ],
)
def test_what_cannot_be_honored_is_named(
    server: Running, given: dict[str, Any], param: str, says: str
) -> None:
    status, error = refused(server, {**BODY, **given})
    assert status == 400
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param
    assert says in error["message"]


def test_what_is_not_there_is_not_found(server: Running) -> None:
    for given in ({"support_set": "none"}, {"query": {"visual": {"file_id": "file-none"}}}):
        status, error = refused(server, {**BODY, **given})
        assert (status, error["code"]) == (404, "not_found")
    status, error = refused(server, {**BODY, "model": "other"})
    assert (status, error["code"]) == (404, "model_not_found")


def test_a_body_is_json(server: Running) -> None:
    address = f"{server.url}/v1/few_shot"
    for content in (b"", b"{", b"[]", b"null", b"\xff", b'{"query": "\\ud800"}', b"[" * 10_000):
        answer = httpx.post(address, content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"]["message"]
    for kind in ({"Content-Type": "text/plain"}, {"Content-Type": ""}, {}):
        answer = httpx.post(address, content=json.dumps(BODY), headers=kind)
        assert answer.status_code == 415, kind
        assert "application/json" in answer.json()["error"]["message"]
    assert httpx.post(address, data={"a": "b"}).status_code == 415
