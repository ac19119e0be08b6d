"""Uploads, and what is refused of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from flamingo.serving.api.app import create_app
from flamingo.serving.api.service import Service
from flamingo.serving.engine import Engine
from flamingo.serving.keys import Keys
from flamingo.serving.limits import Limits

KEYS = ("first-key-0123456789", "second-key-0123456789")


@pytest.fixture
def client(engine: Engine) -> Iterator[TestClient]:
    limits = Limits(visual_bytes=1000, request_bytes=3000)
    with TestClient(create_app(Service.of(engine, limits, keys=Keys(KEYS)))) as client:
        client.headers["Authorization"] = f"Bearer {KEYS[0]}"
        yield client


def test_a_file_belongs_to_a_key(client: TestClient) -> None:
    made = client.post("/v1/files", files={"file": ("../a\n.png", b"abc")}, data={"purpose": "x"})
    assert made.status_code == 200, made.text
    file = made.json()
    assert (file["object"], file["bytes"], file["purpose"]) == ("file", 3, "x")
    assert "/" not in file["filename"]
    address, other = f"/v1/files/{file['id']}", {"Authorization": f"Bearer {KEYS[1]}"}
    assert client.get(address).json() == file
    assert client.get("/v1/files").json()["data"] == [file]
    assert client.get(address, headers=other).status_code == 404
    assert client.delete(address, headers=other).status_code == 404
    assert client.get("/v1/files", headers=other).json()["data"] == []
    assert client.delete(address).json() == {"id": file["id"], "object": "file", "deleted": True}
    assert client.get(address).status_code == 404


def test_what_is_no_upload_is_refused(client: TestClient) -> None:
    missing = client.post("/v1/files", files={"purpose": (None, "vision")})
    assert missing.status_code == 400
    assert missing.json()["error"]["param"] == "file"
    assert client.post("/v1/files", json={"file": "a"}).status_code == 415
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    assert client.post("/v1/files", content=b"--y", headers=broken).status_code == 400
    text = client.post("/v1/files", files={"file": (None, "abc")})
    assert text.status_code == 400


def test_a_file_that_is_too_large_is_refused(client: TestClient) -> None:
    for size in (1001, 5000):
        answer = client.post("/v1/files", files={"file": b"x" * size})
        assert answer.status_code == 413, answer.text
        assert answer.json()["error"]["type"] == "invalid_request_error"
    assert client.get("/v1/files").json()["data"] == []
