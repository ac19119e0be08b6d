from __future__ import annotations

import gzip
import pickle
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from flamingo.data.collection.images.fetching import (
    Fetched,
    FetchedImages,
    PoliteFetcher,
    Politeness,
)
from flamingo.foundation.errors import ConfigError
from tests.data.collection.images.fetching.servers_for_tests import (
    Site,
    drips,
    drips_headers,
    floods,
    gives,
    serving,
)

POLITE = Politeness(
    "test-crawl/1.0 (+https://example.org)", delay=0.0, backoff=0.0, seconds=5.0, allow_private=True
)

OWN_NETWORK = ".".join(("10", "1", "2", "3"))
"""Of a private network; as one word it would look like an address of this one."""


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def fetcher(tmp_path: Path) -> PoliteFetcher:
    return PoliteFetcher(tmp_path, POLITE)


def _with(fetcher: PoliteFetcher, **changes: object) -> PoliteFetcher:
    return PoliteFetcher(fetcher.folder, replace(fetcher.politeness, **changes))


def test_a_file_is_fetched_once(site: Site, fetcher: PoliteFetcher) -> None:
    site.answers["/a%20b.png?x=1"] = gives(b"picture")
    url = site.url("/a b.png?x=1#top")
    assert fetcher.fetch(url) == Fetched(url, "fetched", content=b"picture")
    assert fetcher.fetch(url).content == b"picture"
    later = pickle.loads(pickle.dumps(fetcher))
    assert FetchedImages(later).find("", url) == b"picture"
    assert [path for _, path, _ in site.asked] == ["/robots.txt", "/a%20b.png?x=1"]
    assert {agent for _, _, agent in site.asked} == {POLITE.user_agent}
    assert FetchedImages(later).find("", "a/local.png") is None
    assert (fetcher.requests.num_requests, fetcher.requests.num_bytes) == (1, 7)


def test_what_is_not_there_is_not_asked_for_again(site: Site, fetcher: PoliteFetcher) -> None:
    for _ in range(2):
        found = fetcher.fetch(site.url("/none.png"))
        assert found.result == "refused"
        assert "404" in found.reason
    assert site.paths == ["/none.png"]


def test_what_fails_is_asked_for_again_another_time(site: Site, fetcher: PoliteFetcher) -> None:
    site.answers["/x.png"] = gives(status=500)
    assert fetcher.fetch(site.url("/x.png")).result == "failed"
    site.answers["/x.png"] = gives(b"picture")
    assert fetcher.fetch(site.url("/x.png")).content == b"picture"


def test_rules_of_the_site_are_kept(site: Site, fetcher: PoliteFetcher) -> None:
    rules = b"User-agent: other\nDisallow: /\n\nUser-agent: test-crawl\nDisallow: /private\n"
    site.answers = {
        "/robots.txt": gives(rules),
        "/a.png": gives(b"a"),
        "/private/b.png": gives(b"b"),
    }
    site.answers["/to"] = gives(status=302, Location="/private/b.png")
    assert fetcher.fetch(site.url("/a.png")).content == b"a"
    for path in ("/private/b.png", "/to"):
        found = fetcher.fetch(site.url(path))
        assert (found.result, found.content) == ("refused", None)
        assert "robots.txt" in found.reason
    assert site.paths == ["/a.png", "/to"]
    assert [path for _, path, _ in site.asked].count("/robots.txt") == 1


@pytest.mark.parametrize(
    ("status", "result"), [(404, "fetched"), (403, "refused"), (500, "failed"), (503, "failed")]
)
def test_rules_that_do_not_come(
    site: Site, fetcher: PoliteFetcher, status: int, result: str
) -> None:
    site.answers = {"/robots.txt": gives(b"no", status), "/a.png": gives(b"a")}
    assert fetcher.fetch(site.url("/a.png")).result == result
    assert site.paths == (["/a.png"] if result == "fetched" else [])


def test_rules_behind_a_redirect_are_read(site: Site, fetcher: PoliteFetcher) -> None:
    site.answers["/robots.txt"] = gives(status=301, Location="/rules")
    site.answers["/rules"] = gives(b"User-agent: *\nDisallow: /")
    site.answers["/a.png"] = gives(b"a")
    assert fetcher.fetch(site.url("/a.png")).result == "refused"


def test_rules_too_long_to_be_read_forbid_all(site: Site, fetcher: PoliteFetcher) -> None:
    site.answers = {"/robots.txt": gives(b"#" * 600_000), "/a.png": gives(b"a")}
    assert fetcher.fetch(site.url("/a.png")).result == "refused"


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Robots_Tag": "noai, noimageai"},
        {"X_Robots_Tag": "otherbot: NOIMAGEAI"},
        {"X_Robots_Tag": "noindex"},
        {"tdm_reservation": "1"},
    ],
)
def test_owners_can_forbid_in_headers(
    site: Site, fetcher: PoliteFetcher, headers: dict[str, str]
) -> None:
    site.answers = {"/a.png": gives(b"a", **headers), "/b.png": gives(b"b", X_Robots_Tag="all")}
    found = fetcher.fetch(site.url("/a.png"))
    assert (found.result, found.content) == ("refused", None)
    assert "its owner forbids" in found.reason
    assert not list((fetcher.folder / "files").rglob("*.bin"))
    assert fetcher.fetch(site.url("/b.png")).content == b"b"


def test_redirects_are_followed_within_bounds(site: Site, fetcher: PoliteFetcher) -> None:
    for number in range(9):
        site.answers[f"/{number}"] = gives(status=302, Location=f"{number + 1}")
    site.answers["/9"] = gives(b"end")
    assert fetcher.fetch(site.url("/4")).content == b"end"
    found = fetcher.fetch(site.url("/3"))
    assert found.result == "refused"
    assert "more than 5 redirects" in found.reason


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://[bad/", "gopher:x", "http://:80/", "//"],
)
def test_redirects_lead_to_the_web_only(site: Site, fetcher: PoliteFetcher, location: str) -> None:
    site.answers["/x"] = gives(status=302, Location=location)
    assert fetcher.fetch(site.url("/x")).result == "refused"


def test_nothing_private_is_asked(site: Site, fetcher: PoliteFetcher) -> None:
    strict = _with(fetcher, allow_private=False)
    for host in ("127.0.0.1", "localhost", "127.1", "2130706433", "0.0.0.0", "[::1]", "10.0.0.1"):
        for scheme in ("http", "https"):
            found = strict.fetch(f"{scheme}://{host}:{site.port}/x.png")
            assert found.result == "refused"
            assert "no address of the public web" in found.reason
    assert site.asked == []


def test_the_number_that_was_checked_is_the_one_that_is_asked(
    site: Site, fetcher: PoliteFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up = []

    def names(host: str, *arguments: object, **settings: object) -> list[tuple[object, ...]]:
        # A name that means something else each time it is looked up.
        looked_up.append(host)
        number = "127.0.0.1" if host == "a.example" else "0.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, site.port))]

    site.answers["/x.png"] = gives(b"picture")
    monkeypatch.setattr(
        "flamingo.data.collection.images.fetching.destinations.socket", _Socket(names)
    )
    found = fetcher.fetch(f"http://a.example:{site.port}/x.png")
    assert found.content == b"picture"
    # For the file and for the rules, and never by whoever connects.
    assert looked_up == ["a.example", "a.example"]


class _Socket:
    SOCK_STREAM = socket.SOCK_STREAM

    def __init__(self, names: object) -> None:
        self.getaddrinfo = names


def test_a_redirect_into_the_own_network_is_not_followed(
    site: Site, fetcher: PoliteFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flamingo.data.collection.images.fetching import destinations

    site.answers["/x"] = gives(status=302, Location=f"http://{OWN_NETWORK}/secret")
    is_public = destinations.is_public
    monkeypatch.setattr(
        destinations, "is_public", lambda number: number == "127.0.0.1" or is_public(number)
    )
    found = _with(fetcher, allow_private=False).fetch(site.url("/x"))
    assert found.result == "refused"
    assert "10.1.2.3" in found.reason


@pytest.mark.parametrize("answering", [drips, drips_headers])
def test_a_slow_server_is_cut(site: Site, fetcher: PoliteFetcher, answering: object) -> None:
    assert callable(answering)
    site.answers["/x.png"] = answering
    start = time.monotonic()
    found = _with(fetcher, seconds=0.3).fetch(site.url("/x.png"))
    assert time.monotonic() - start < 3
    assert found.result == "failed"
    assert "longer than 0.3 s" in found.reason


def test_a_file_is_bounded(site: Site, fetcher: PoliteFetcher) -> None:
    site.answers["/flood"] = floods
    site.answers["/long"] = gives(bytes(1001))
    site.answers["/bomb"] = gives(gzip.compress(bytes(100_000)), Content_Encoding="gzip")
    site.answers["/fits"] = gives(gzip.compress(bytes(1000)), Content_Encoding="gzip")
    small = _with(fetcher, max_bytes=1000)
    for path in ("/flood", "/long", "/bomb"):
        found = small.fetch(site.url(path))
        assert found.result == "refused"
        assert "1,000" in found.reason
    assert small.fetch(site.url("/fits")).content == bytes(1000)


def test_a_body_that_is_cut_off_is_no_file(site: Site, fetcher: PoliteFetcher) -> None:
    def cut(handler: object) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"half")

    site.answers["/x.png"] = cut
    found = fetcher.fetch(site.url("/x.png"))
    assert found.result == "failed"
    assert "cut off" in found.reason


def test_what_is_not_http_fails(fetcher: PoliteFetcher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = _with(fetcher, seconds=0.3).fetch(f"https://127.0.0.1:{port}/x.png")
        assert found.result == "failed"
    assert fetcher.fetch(f"http://127.0.0.1:{port}/x.png").result == "failed"
    for address in ("", "x.png", "javascript:alert(1)", "http://", "http://a b/", "http://\ud800/"):
        assert fetcher.fetch(address).result in ("refused", "failed")


def test_a_host_that_never_answers_is_left_alone(fetcher: PoliteFetcher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    reasons = [fetcher.fetch(f"http://127.0.0.1:{port}/{n}.png").reason for n in range(5)]
    assert "Refused" in reasons[2]
    assert "has not answered 3 times" in reasons[3]


def test_a_server_that_says_later_is_asked_later(site: Site, fetcher: PoliteFetcher) -> None:
    turns = iter([gives(status=429), gives(status=503, Retry_After="0"), gives(b"picture")])
    site.answers["/x.png"] = lambda handler: next(turns)(handler)
    start = time.monotonic()
    assert _with(fetcher, backoff=0.2).fetch(site.url("/x.png")).content == b"picture"
    moments = [moment for moment, path, _ in site.asked if path == "/x.png"]
    assert moments[1] - moments[0] >= 0.19
    assert moments[2] - moments[1] >= 0.39
    assert time.monotonic() - start < 5
    site.answers["/y.png"] = gives(status=503)
    assert fetcher.fetch(site.url("/y.png")).result == "failed"
    assert site.paths.count("/y.png") == 3


def test_requests_to_a_host_are_kept_apart(site: Site, fetcher: PoliteFetcher) -> None:
    running, most = 0, 0

    def answer(handler: object) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.02)
        running -= 1
        gives(b"picture")(handler)

    urls = []
    for number in range(6):
        site.answers[f"/{number}.png"] = answer
        urls.append(site.url(f"/{number}.png"))
    polite = _with(fetcher, delay=0.1)
    assert [found.address for found in polite.fetch_all(urls, 4) if found.content] == urls
    moments = sorted(moment for moment, path, _ in site.asked if path != "/robots.txt")
    # The server notes when it gets to a request, which may be later than it was sent.
    assert moments[-1] - moments[0] >= 0.45
    assert most == 1


def test_threads_do_not_fetch_the_same_twice(site: Site, fetcher: PoliteFetcher) -> None:
    site.answers["/x.png"] = gives(b"picture")
    found = list(fetcher.fetch_all([site.url("/x.png")] * 8, 8))
    assert [one.content for one in found] == [b"picture"] * 8
    assert site.paths == ["/x.png"]


def test_fetchers_that_share_a_folder_wait_for_each_other(
    site: Site, fetcher: PoliteFetcher
) -> None:
    for number in range(4):
        site.answers[f"/{number}.png"] = gives(b"picture")
    # Nothing in memory is shared, as between processes.
    fetchers = [_with(fetcher, delay=0.2) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: fetchers[n].fetch(site.url(f"/{n}.png")), range(4)))
    assert [one.content for one in found] == [b"picture"] * 4
    moments = sorted(moment for moment, path, _ in site.asked if path != "/robots.txt")
    assert moments[-1] - moments[0] >= 0.55
    assert [path for _, path, _ in site.asked].count("/robots.txt") == 1


def test_delays_that_a_site_asks_for(site: Site, fetcher: PoliteFetcher) -> None:
    site.answers["/robots.txt"] = gives(b"User-agent: *\nCrawl-delay: 100\nDisallow:")
    found = fetcher.fetch(site.url("/x.png"))
    assert found.result == "refused"
    assert "every 100 s" in found.reason


def test_the_whole_is_bounded(site: Site, fetcher: PoliteFetcher) -> None:
    for number in range(4):
        site.answers[f"/{number}"] = gives(bytes(100))
    few = _with(fetcher, max_requests=2)
    results = [few.fetch(site.url(f"/{number}")).result for number in range(3)]
    assert results == ["fetched", "fetched", "over limit"]
    little = _with(fetcher, max_total_bytes=100)
    assert [little.fetch(site.url(f"/{n}")).result for n in (2, 3)] == ["fetched", "over limit"]
    # What was fetched before costs nothing.
    assert little.fetch(site.url("/0")).result == "fetched"


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ({"user_agent": "crawl/1.0"}, "names no contact"),
        ({"user_agent": "crawl\r\nX: y@example.org"}, "more than ASCII in a line"),
        ({"per_host": 0}, "per_host=0"),
        ({"delay": -1.0}, "delay=-1.0"),
    ],
)
def test_impossible_settings_are_told(setting: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        replace(POLITE, **setting)


def test_no_threads_are_told(fetcher: PoliteFetcher) -> None:
    with pytest.raises(ConfigError, match="num_threads=0"):
        list(fetcher.fetch_all([], 0))
