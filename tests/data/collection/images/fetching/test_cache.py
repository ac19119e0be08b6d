from __future__ import annotations

from pathlib import Path

from flamingo.data.collection.images.fetching.cache import FetchCache, Kept

URL = "http://a.org/x.png"


def test_entries_come_back(tmp_path: Path) -> None:
    cache = FetchCache(tmp_path)
    assert cache.get(URL) is None
    for kept in (Kept(b"picture", content_type="image/png", moment=1.5), Kept(None, "it is gone")):
        cache.put(URL, kept)
        assert FetchCache(tmp_path).get("HTTP://A.org:80/x.png#top") == kept
    assert cache.get("http://a.org/y.png") is None


def test_what_is_not_whole_does_not_count(tmp_path: Path) -> None:
    cache = FetchCache(tmp_path)
    cache.put(URL, Kept(b"picture"))
    (note,) = tmp_path.rglob("*.json")
    (content,) = tmp_path.rglob("*.bin")
    content.write_bytes(b"pict")
    assert cache.get(URL) is None
    content.unlink()
    assert cache.get(URL) is None
    cache.put(URL, Kept(b"picture"))
    for text in (b"", b"7", b"{}", b"\xff", note.read_bytes()[:-5]):
        note.write_bytes(text)
        assert cache.get(URL) is None
