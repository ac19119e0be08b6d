from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from flamingo.foundation.errors import ConfigError, MediaError
from flamingo.serving.allowed_hosts import AllowedHosts
from flamingo.serving.limits import Limits
from flamingo.serving.media import MediaRequest
from flamingo.serving.remote import RemoteFiles
from tests.data.collection.images.fetching.servers_for_tests import (
    Site,
    drips,
    drips_headers,
    floods,
    gives,
    serving,
)
from tests.data.media_for_tests import jpeg_bytes

from .media_reading import read_all, reader_of

LIMITS = Limits(visual_bytes=100_000)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as made:
        yield made


def own(site: Site, **settings: Any) -> RemoteFiles:
    """Allows the site of the test, which lies on this machine."""
    settings = {"allow_private": True, "seconds": 5.0, **settings}
    return RemoteFiles([f"127.0.0.1:{site.port}"], LIMITS, **settings)


def test_a_file(site: Site) -> None:
    site.answers["/a.jpg"] = gives(jpeg_bytes(), content_type="image/jpeg")
    assert own(site).read(site.url("/a.jpg")) == jpeg_bytes()
    reader = reader_of(LIMITS, remote=own(site))
    (visual,) = read_all(reader, [MediaRequest(site.url("/a.jpg"))])
    assert visual.width == 64


def test_slow_hosts_keep_nobody_else_waiting(site: Site) -> None:
    site.answers["/slow"] = drips
    reader = reader_of(LIMITS, remote=own(site, seconds=0.6))

    async def fetched_beside() -> float:
        fetching = [asyncio.ensure_future(reader.fetch(site.url("/slow"))) for _ in range(40)]
        await asyncio.sleep(0.1)
        begin = time.monotonic()
        # What everything else is parsed and written in.
        assert await asyncio.to_thread(int, "3") == 3
        waited = time.monotonic() - begin
        for one in fetching:
            one.cancel()
        await asyncio.gather(*fetching, return_exceptions=True)
        return waited

    assert asyncio.run(fetched_beside()) < 0.4
    reader.close()


def test_without_hosts_every_url_is_refused(site: Site) -> None:
    with pytest.raises(MediaError, match="fetches no URLs"):
        RemoteFiles([], LIMITS, allow_private=True).read(site.url("/a"))
    assert site.asked == []


def test_private_addresses_are_refused_even_if_allowed(site: Site) -> None:
    with pytest.raises(MediaError, match="does not lie in the public web"):
        own(site, allow_private=False).read(site.url("/a"))
    hosts = ["10.0.0.1", "169.254.169.254", "192.168.1.1", "localhost", "[::1]", "0.0.0.0"]
    remote = RemoteFiles([*hosts, "[::ffff:127.0.0.1]"], LIMITS)
    for host in [*hosts, "[::ffff:127.0.0.1]"]:
        with pytest.raises(MediaError, match="does not lie in the public web"):
            remote.read(f"http://{host}/")
    assert site.asked == []


def test_a_name_that_leads_into_the_own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def looked_up(host: str, port: int, **kwargs: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    with pytest.raises(MediaError, match="does not lie in the public web"):
        RemoteFiles(["example.org"], LIMITS).read("http://example.org/")
    assert asked == ["example.org"]


def test_the_connection_goes_to_the_number_that_was_checked(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.answers["/a"] = gives(b"file")
    answers = iter(["127.0.0.1"])

    def looked_up(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        if host != "example.org":
            return original(host, port, *args, **kwargs)
        # Whoever asks again gets no answer.
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    original = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    remote = RemoteFiles([f"example.org:{site.port}"], LIMITS, allow_private=True)
    assert remote.read(f"http://example.org:{site.port}/a") == b"file"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.0.0.1:1/",
        "http://LocalHost:{port}/",
        "http://2130706433:{port}/",
        "http://127.1:{port}/",
        "http://[::1]:{port}/",
        "http://user@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}@example.org/",
        "http://example.org\\@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}x/",
        "http:///a",
        "http://",
        "https://127.0.0.1:99999/",
        "http://[::1/",
        "http://a b/",
        "http://127.0.0.1:{port}\r\nHost: x/",
        "ftp://127.0.0.1:{port}/",
        "//127.0.0.1:{port}/",
    ],
)
def test_other_addresses_are_not_looked_up(
    url: str, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked_up(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError(f"looked up {args}")

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    with pytest.raises(MediaError) as caught:
        own(site).read(url.format(port=site.port))
    str(caught.value).encode()
    assert site.asked == []


def test_redirects_stay_with_the_allowed_hosts(site: Site) -> None:
    site.answers["/a"] = gives(status=302, Location="/b")
    site.answers["/b"] = gives(b"file")
    assert own(site).read(site.url("/a")) == b"file"
    targets = ("http://LocalHost/", f"http://LocalHost:{site.port}/", "file:///etc/passwd")
    for target in (*targets, "http://[", "http://u:p@127.0.0.1/", "ftp://a/"):
        site.answers["/c"] = gives(status=301, Location=target)
        with pytest.raises(MediaError):
            own(site).read(site.url("/c"))
    site.answers["/loop"] = gives(status=307, Location="/loop")
    with pytest.raises(MediaError, match="more than 3 redirects"):
        own(site).read(site.url("/loop"))


def test_no_file(site: Site) -> None:
    site.answers["/gone"] = gives(b"not here", status=404)
    site.answers["/empty"] = gives(b"")
    for path, status in (("/gone", 404), ("/empty", 200)):
        with pytest.raises(MediaError, match=f"answers {status} and no file"):
            own(site).read(site.url(path))


@pytest.mark.parametrize("answer", [drips, drips_headers])
def test_slow_servers(site: Site, answer: Any) -> None:
    site.answers["/slow"] = answer
    begin = time.monotonic()
    with pytest.raises(MediaError, match="longer than"):
        own(site, seconds=0.3).read(site.url("/slow"))
    assert time.monotonic() - begin < 3


def test_large_files(site: Site) -> None:
    site.answers["/a"] = floods
    with pytest.raises(MediaError, match="more bytes than the limit"):
        own(site).read(site.url("/a"))
    site.answers["/b"] = gives(bytes(100_001))
    with pytest.raises(MediaError, match="more than the limit"):
        own(site).read(site.url("/b"))


def test_which_hosts_are_allowed() -> None:
    hosts = AllowedHosts(["example.org", "*.example.net", "Example.COM:8080", "münchen.de"])
    assert hosts.allow("example.org", 443, "https")
    assert hosts.allow("example.org", 80, "http")
    assert not hosts.allow("example.org", 80, "https")
    assert not hosts.allow("example.org", 8080, "https")
    assert not hosts.allow("www.example.org", 443, "https")
    assert not hosts.allow("badexample.org", 443, "https")
    assert hosts.allow("a.example.net", 443, "https")
    assert hosts.allow("a.b.example.net", 443, "https")
    assert not hosts.allow("example.net", 443, "https")
    assert not hosts.allow("badexample.net", 443, "https")
    assert hosts.allow("example.com", 8080, "http")
    assert not hosts.allow("example.com", 80, "http")
    assert hosts.allow("xn--mnchen-3ya.de", 443, "https")
    assert not AllowedHosts([])


@pytest.mark.parametrize(
    "host",
    [
        "",
        "*",
        "*.",
        "http://example.org",
        "example.org/a",
        "a b",
        "a:",
        "a:b",
        "a:0",
        "a:70000",
        "user@a",
        "a.*.b",
        "[::1",
        "::1",
    ],
)
def test_what_is_no_host(host: str) -> None:
    with pytest.raises(ConfigError, match="is no host"):
        AllowedHosts([host])
