"""Support sets: kept by a name, asked with, given out and taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from flamingo.serving.api.app import create_app
from flamingo.serving.api.service import Service
from flamingo.serving.engine import Engine
from flamingo.serving.keys import Keys
from flamingo.serving.limits import Limits
from tests.serving.api.running import HERE, episode, few_shot_body

SETS = "/v1/few_shot/support_sets"
SHOWN = episode(index=3)
BODY = few_shot_body(SHOWN)
SET = {"name": "my shapes", "supports": BODY["supports"]}
KEYS = ("first-key-0123456789", "second-key-0123456789")


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service), HERE) as client:
        yield client


def test_a_set_is_asked_with_by_id_and_by_name(client: TestClient) -> None:
    made = client.post(SETS, json=SET)
    assert made.status_code == 201, made.text
    kept = made.json()
    assert kept["object"] == "few_shot.support_set"
    assert (kept["name"], kept["num_supports"]) == ("my shapes", 4)
    alone = client.post("/v1/few_shot", json=BODY).json()
    for name in (kept["id"], "my shapes"):
        answer = client.post("/v1/few_shot", json={"query": BODY["query"], "support_set": name})
        assert answer.json()["answer"] == SHOWN.answer
        assert answer.json()["score"] == pytest.approx(alone["score"], abs=1e-4)
    more = {"query": BODY["query"], "support_set": kept["id"], "supports": BODY["supports"][:1]}
    assert client.post("/v1/few_shot", json=more).json()["usage"]["num_visuals"] == 6


def test_a_set_that_is_given_out_is_taken_again(client: TestClient) -> None:
    made = client.post(SETS, json=SET).json()
    assert client.get(SETS).json() == {"object": "list", "data": [made]}
    given = client.get(f"{SETS}/my shapes").json()
    assert given["format"] == "flamingo-support-set"
    assert given["supports"] == SET["supports"]
    assert client.delete(f"{SETS}/my shapes").json() == {
        "id": made["id"],
        "object": "few_shot.support_set",
        "deleted": True,
    }
    assert client.get(f"{SETS}/{made['id']}").status_code == 404
    again = client.post(SETS, json=given)
    assert again.status_code == 201, again.text
    assert again.json()["id"] == made["id"]


@pytest.mark.parametrize("name", ["red/blue", "/a", "a/", "a//b", "a?b#c"])
def test_names_may_have_any_characters(client: TestClient, name: str) -> None:
    assert client.post(SETS, json={**SET, "name": name}).status_code == 201
    address = f"{SETS}/{quote(name, safe='')}"
    assert client.get(address).json()["name"] == name
    assert client.delete(address).json()["deleted"]
    assert client.get(address).status_code == 404


def test_files_that_come_late_are_named(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service.of(engine, Limits(decode_seconds=0.2))

    async def late(*args: object) -> bytes:
        await asyncio.sleep(60)
        return b""

    monkeypatch.setattr(service.media, "fetch", late)
    shown = BODY["supports"][0]
    supports = [shown, {"visual": "https://example.org/a.png", "output": "a"}]
    with TestClient(create_app(service), HERE) as client:
        answer = client.post(SETS, json={"name": "a", "supports": supports})
    assert answer.status_code == 408
    assert "supports[1] is not read" in answer.json()["error"]["message"]


def test_a_name_is_not_taken_twice_unless_it_is_said(client: TestClient) -> None:
    first = client.post(SETS, json=SET).json()
    other = {**SET, "supports": BODY["supports"][:2]}
    refused = client.post(SETS, json=other)
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "name_taken"
    second = client.post(SETS, json={**other, "replace": True}).json()
    assert second["id"] != first["id"]
    assert [one["id"] for one in client.get(SETS).json()["data"]] == [second["id"]]


def test_a_set_s_question_is_asked_of_queries_that_have_none(client: TestClient) -> None:
    shown = episode("question-color", shots=4)
    body = few_shot_body(shown)
    question = body["query"].pop("question")
    supports = [{k: v for k, v in one.items() if k != "question"} for one in body["supports"]]
    kept = {"name": "colors", "question": question, "supports": supports}
    assert client.post(SETS, json=kept).status_code == 201
    answer = client.post("/v1/few_shot", json={"support_set": "colors", "query": body["query"]})
    assert answer.status_code == 200, answer.text
    whole = {**body, "supports": supports, "query": {**body["query"], "question": question}}
    assert answer.json()["score"] == pytest.approx(
        client.post("/v1/few_shot", json=whole).json()["score"], abs=1e-4
    )


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"supports": []}, "supports"),
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"format": "other"}, "format"),
        ({"version": 2}, "version"),
        ({"template": "none"}, "template"),
        ({"supports": [{"visual": "data:image/png;base64,AAAA", "output": "a"}]}, None),
        ({"supports": [{"visual": "http://127.0.0.1/a.png", "output": "a"}]}, None),
        ({"supports": [{"visual": {"url": "data:,", "fps": 2.0}, "output": "a"}]}, None),
        ({"supports": [{"visual": BODY["query"]["visual"], "color": "a"}]}, "supports[0]"),
    ],
)
def test_what_could_not_be_asked_with_is_not_kept(
    client: TestClient, given: dict[str, Any], param: str | None
) -> None:
    answer = client.post(SETS, json={**SET, **given})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["param"] == (param or "supports[0].visual")
    assert client.get(SETS).json()["data"] == []


def test_sets_belong_to_a_key(engine: Engine) -> None:
    service = Service.of(engine, Limits(), keys=Keys(KEYS))
    with TestClient(create_app(service)) as client:
        own, other = ({"Authorization": f"Bearer {key}"} for key in KEYS)
        made = client.post(SETS, json=SET, headers=own).json()
        assert client.get(SETS, headers=other).json()["data"] == []
        for name in (made["id"], made["name"]):
            assert client.get(f"{SETS}/{name}", headers=own).status_code == 200
            assert client.get(f"{SETS}/{name}", headers=other).status_code == 404
            assert client.delete(f"{SETS}/{name}", headers=other).status_code == 404
        body = {"query": BODY["query"], "support_set": made["id"]}
        assert client.post("/v1/few_shot", json=body, headers=other).status_code == 404
