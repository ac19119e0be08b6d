"""Images of web pages with their alternative texts, read from pages as they lie on a disk."""

from __future__ import annotations

from pathlib import Path

from flamingo.data.collection.images import load_image
from flamingo.data.collection.pages import LoadedImage
from flamingo.data.collection.pairs import PagePairSource, PairSettings, frequent_texts
from flamingo.data.collection.sources import open_source

from .pairs_for_tests import caption, fields_of, parted, photo, write_photos

LOOKED_AT: list[bytes] = []


def noting(content: bytes) -> LoadedImage | str:
    LOOKED_AT.append(content)
    return load_image(content)


def site(folder: Path) -> Path:
    write_photos(folder / "img", 4)
    (folder / "img" / "broken.png").write_bytes(photo(5)[:90])
    shown = (
        f"<img src=img/0.png alt='{caption(0)}'><img src=img/1.png alt=logo>"
        f"<img src=img/2.png alt='A wide view of the sea'><img src=img/none.png alt='{caption(3)}'>"
        f"<img src=img/broken.png alt='{caption(4)}'>"
    )
    paragraph = "There is more to be read here about the dogs of this town than elsewhere."
    (folder / "a.html").write_text(f"<html lang=en><body><p>{paragraph}</p>{shown}</body></html>")
    more = "<img src=img/3.png alt='A wide view of the sea'>"
    (folder / "b.html").write_text(f"<html lang=en><body><p>{paragraph}</p>{more}</body></html>")
    (folder / "c.html").write_bytes(b"")
    return folder


def opened(folder: Path, **settings: int) -> PagePairSource:
    pages = open_source(site(folder / "site"))
    return PagePairSource(pages, PairSettings(**settings), load=noting)


def test_each_image_with_a_text_of_its_own(tmp_path: Path) -> None:
    LOOKED_AT.clear()
    source = opened(tmp_path)
    [piece] = source.pieces(9)
    samples, refused = parted(source.samples(piece))
    texts = [caption(0), "A wide view of the sea", "A wide view of the sea"]
    assert [one.text for one in samples] == texts
    assert fields_of(samples[0])["page"] == "a.html"
    assert [(one.step, one.reason) for one in refused] == [
        ("words", "1 words, at least 3"),
        ("image", "the image was not found"),
        ("image", refused[2].reason),
        ("page", "nothing to read in c.html: 0 bytes hold no text and no image to keep."),
    ]
    # The logo, whose text makes no pair, was not decoded.
    assert photo(1) not in LOOKED_AT
    assert len(LOOKED_AT) == 4


def test_keys_are_those_of_pages_and_images(tmp_path: Path) -> None:
    source = opened(tmp_path)
    [piece] = source.pieces(9)
    samples, _ = parted(source.samples(piece))
    ends = [one.key.removeprefix(piece.name) for one in samples]
    assert ends == ["-000000-0000", "-000000-0002", "-000001-0000"]


def test_frequent_texts_are_counted_over_pages(tmp_path: Path) -> None:
    source = opened(tmp_path, max_same_text=1)
    pieces = source.pieces(1)
    second = source.without(frequent_texts(map(source.count_texts, pieces), 1))
    samples, refused = parted(one for piece in pieces for one in second.samples(piece))
    assert [one.text for one in samples] == [caption(0)]
    assert [one.step for one in refused].count("frequent") == 2
