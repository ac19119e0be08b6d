"""What surrounds every request: keys, ids, headers, the log, counters, errors without reasons."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from flamingo.serving.api.app import create_app
from flamingo.serving.api.service import Service
from flamingo.serving.engine import Engine
from flamingo.serving.keys import Keys
from flamingo.serving.limits import Limits
from tests.serving.api.running import HERE, episode, few_shot_body

KEY = "a-key-of-some-length"
GUARDED = ("/v1/models", "/v1/files", "/v1/few_shot/support_sets", "/v1/none", "/metrics")


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service), HERE, raise_server_exceptions=False) as client:
        yield client


def test_a_key_is_needed_where_there_are_some(engine: Engine) -> None:
    with TestClient(create_app(Service.of(engine, Limits(), keys=Keys([KEY])))) as client:
        for path in GUARDED:
            for given in (None, "Bearer wrong", KEY, f"Basic {KEY}"):
                headers = {} if given is None else {"Authorization": given}
                answer = client.get(path, headers=headers)
                assert answer.status_code == 401, path
                assert answer.json()["error"]["type"] == "authentication_error"
        # Refused before a body is looked at.
        assert client.post("/v1/few_shot", content=b"{").status_code == 401
        own = {"Authorization": f"Bearer {KEY}"}
        assert client.get("/v1/models", headers=own).status_code == 200
        assert client.get("/metrics", headers=own).status_code == 200
        for path in ("/health", "/docs", "/openapi.json", "/"):
            assert client.get(path).status_code == 200, path


def test_texts_are_counted_before_they_are_read(client: TestClient) -> None:
    message = {"role": "user", "content": "a" * 2**20}
    body = {"model": "miniature", "messages": [message]}
    assert client.post("/v1/chat/completions", json=body).status_code == 413
    shown = few_shot_body(episode(shots=4), choices=["a"])
    shown["query"]["question"] = "a" * 2**18
    shown["template"] = "{question} {output}"
    assert client.post("/v1/few_shot", json=shown).status_code == 413


def test_addresses_and_methods_that_do_not_exist(client: TestClient) -> None:
    for method, path, status in (
        ("GET", "/none", 404),
        ("GET", "/v1/chat/completions", 405),
        ("DELETE", "/v1/models", 405),
        ("BREW", "/health", 405),
        ("GET", "/static/../app.py", 404),
        ("GET", "/static/%2e%2e/%2e%2e/engine.py", 404),
    ):
        answer = client.request(method, path)
        assert answer.status_code == status, path
        assert answer.json()["error"]["type"] == "invalid_request_error"


def test_head_is_get_without_a_body(client: TestClient) -> None:
    for path in ("/", "/health", "/docs", "/openapi.json", "/v1/models", "/static/main.js"):
        whole, head = client.get(path), client.head(path)
        assert (head.status_code, head.content) == (200, b""), path
        assert head.headers["content-type"] == whole.headers["content-type"]
        assert head.headers["content-length"] == str(len(whole.content))
    assert client.head("/v1/few_shot").status_code == 405
    assert client.head("/none").status_code == 404
    counted = 'flamingo_requests_total{method="HEAD",route="/health",status="200"} 1.0'
    assert counted in client.get("/metrics").text


def test_every_answer_has_an_id_and_safe_headers(client: TestClient) -> None:
    for path in ("/", "/health", "/docs", "/none", "/v1/models"):
        answer = client.get(path)
        assert answer.headers["x-request-id"].startswith("req-")
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
    assert (
        client.get("/health", headers={"X-Request-ID": "mine-1"}).headers["x-request-id"]
        == "mine-1"
    )
    forged = client.get("/health", headers={"X-Request-ID": "a b"}).headers["x-request-id"]
    assert forged.startswith("req-")


def test_the_log_has_one_line_without_contents(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "flamingo.serving"):
        body = few_shot_body(episode(shots=1))
        client.post("/v1/few_shot", json=body, headers={"Authorization": "Bearer secret-key"})
        client.get("/no%0Ane")
    # The model's libraries may have something to say when it is first used.
    own = [record for record in caplog.records if record.name == "flamingo.serving"]
    first, second = [record.getMessage() for record in own]
    assert first.startswith("POST /v1/few_shot 200 ")
    assert second.startswith("GET /no\\nne 404 ")
    assert "\n" not in first + second
    assert "secret" not in first + second
    assert episode(shots=1).supports[0].fields["output"] not in first


def test_a_fault_of_the_server_tells_no_reasons(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> Any:
        raise RuntimeError("/secret/path is broken")

    monkeypatch.setattr(service.support_sets, "list", broken)
    answer = client.get("/v1/few_shot/support_sets")
    assert answer.status_code == 500
    assert answer.json()["error"]["type"] == "server_error"
    assert "secret" not in answer.text
    assert answer.headers["x-request-id"]
    assert client.get("/health").status_code == 200


def test_counters(client: TestClient) -> None:
    def value(name: str) -> float:
        lines = client.get("/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))

    body = few_shot_body(episode(shots=2))
    client.post("/v1/few_shot", json=body)
    client.post("/v1/few_shot", json={})
    client.get("/nowhere/at/all")
    assert value('flamingo_requests_total{method="POST",route="/v1/few_shot",status="200"}') == 1
    assert value('flamingo_requests_total{method="POST",route="/v1/few_shot",status="400"}') == 1
    assert value('flamingo_requests_total{method="GET",route="other",status="404"}') == 1
    assert value("flamingo_request_seconds_count") >= 3
    assert value("flamingo_visuals_total") == 3
    assert value("flamingo_new_tokens_total") > 0
    assert value("flamingo_prompt_tokens_total") > 0
    assert value("flamingo_engine_num_waiting") == 0
    assert value("flamingo_engine_alive") == 1
    assert "flamingo_build_info{" in client.get("/metrics").text
    # Nothing but counters: since when they count would be as many lines again.
    assert "_created" not in client.get("/metrics").text


def test_health(client: TestClient, service: Service) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    service.is_stopping = True
    answer = client.get("/health")
    assert (answer.status_code, answer.json()) == (503, {"status": "stopping"})


def test_the_documents_need_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    for path in client.get("/openapi.json").json()["paths"]:
        assert path in page.text
    assert "http:" not in page.text
    assert "https:" not in page.text
    assert "<script" not in page.text
    assert client.get("/docs/style.css").headers["content-type"].startswith("text/css")


def test_the_openapi_document_is_closed(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]

    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for one in value.values():
                yield from references(one)
        if isinstance(value, list):
            for one in value:
                yield from references(one)

    named = set(references(document))
    assert named
    assert {name.rpartition("/")[2] for name in named} <= set(schemas)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert "422" not in operation["responses"], (method, path)
            if method == "post":
                assert operation["requestBody"]["content"], path
