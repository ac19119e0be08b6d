"""Pages of other sites, whose visitors have not asked, get nothing from a server."""

from __future__ import annotations

from typing import Any

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from flamingo.foundation.errors import ConfigError
from flamingo.serving.api.app import create_app
from flamingo.serving.api.service import Service
from flamingo.serving.api.sites import HostNames
from flamingo.serving.engine import Engine
from flamingo.serving.keys import Keys
from flamingo.serving.limits import Limits
from tests.serving.api.running import Running

KEY = "a-key-of-some-length"


def asked(service: Service, path: str = "/v1/models", **headers: str) -> tuple[int, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with TestClient(create_app(service)) as client:
        answer = client.get(path, headers=named)
    return answer.status_code, answer.json() if path != "/metrics" else None


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-origin", 200), ("none", 200)]
)
def test_what_a_browser_says_of_a_page(service: Service, site: str, status: int) -> None:
    assert asked(service, Host="127.0.0.1:8000", Sec_Fetch_Site=site)[0] == status


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("https://BOX.example:8000", "box.example:8000"),
        ("https://127.0.0.1", "127.0.0.1"),
        ("https://127.0.0.1", "127.0.0.1:443"),
        ("http://[::1]:8000", "[::1]:8000"),
    ],
)
def test_the_own_page_may_ask(engine: Engine, origin: str, host: str) -> None:
    service = Service.of(engine, Limits(), host_names=HostNames(["box.example"]))
    assert asked(service, Host=host, Origin=origin)[0] == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://127.0.0.1:3000",
        "http://127.0.0.1",
        "http://127.0.0.1:8000.evil.example",
        "null",
        "",
        "127.0.0.1:8000",
    ],
)
@pytest.mark.parametrize("has_keys", [False, True])
def test_other_pages_may_not(engine: Engine, origin: str, has_keys: bool) -> None:
    service = Service.of(engine, Limits(), keys=Keys([KEY] if has_keys else []))
    own = {"Authorization": f"Bearer {KEY}"} if has_keys else {}
    status, body = asked(service, Host="127.0.0.1:8000", Origin=origin, **own)
    assert status == 403
    assert body["error"]["code"] == "foreign_page"
    assert body["error"]["type"] == "invalid_request_error"
    assert asked(service, "/metrics", Host="127.0.0.1:8000", Origin=origin, **own)[0] == 403


def test_a_form_of_another_page_uploads_nothing(server: Running) -> None:
    def upload(**headers: str) -> httpx.Response:
        return httpx.post(f"{server.url}/v1/files", files={"file": b"abc"}, headers=headers)

    assert upload(Origin="http://evil.example").status_code == 403
    assert upload(Origin=server.url).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("192.168.7.9:8000", 200),
        ("[::1]:8000", 200),
        ("LocalHost.:80", 200),
        ("box.example:8000", 200),
        ("BOX.example.", 200),
        ("xn--mnchen-3ya.de", 200),
        ("evil.example", 403),
        ("evil.example:8000", 403),
        ("localhost.evil.example", 403),
        ("sub.box.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("", 403),
    ],
)
def test_names_are_known_without_keys(engine: Engine, host: str, status: int) -> None:
    names = HostNames(["Box.example", "münchen.de", "::1", "0.0.0.0"])
    service = Service.of(engine, Limits(), host_names=names)
    found, body = asked(service, Host=host)
    assert found == status
    if status == 403:
        assert body["error"]["code"] == "unknown_host"
        assert "--host-name" in body["error"]["message"]
    # Who watches a server may call it by any name.
    assert asked(service, "/health", Host=host)[0] == 200


def test_with_keys_any_name_may_be_asked(engine: Engine) -> None:
    service = Service.of(engine, Limits(), keys=Keys([KEY]))
    assert asked(service, Host="evil.example", Authorization=f"Bearer {KEY}")[0] == 200
    assert asked(service, Host="evil.example")[0] == 401


@pytest.mark.parametrize("name", ["", "a:80", "http://a", "a/b", "*.a", "a b"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(ConfigError, match="without a"):
        HostNames([name])
