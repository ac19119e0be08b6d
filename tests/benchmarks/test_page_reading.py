"""The benchmark of page reading measures what it says."""

from __future__ import annotations

from pathlib import Path

from benchmarks.debian_pages import PACKAGES, draw, pages_of
from benchmarks.page_reading import find_pages, measure, report


def test_it_counts_and_compares(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.html").write_text("<h1>One</h1><p>two three<img src=b.png>")
    (tmp_path / "b.html").write_text("<script>nothing</script>")
    pages = find_pages(tmp_path)
    assert [page.address for page in pages] == ["b.html", "deep/a.html"]
    found = measure(pages, repeats=1)
    assert (found.pages, found.unreadable, found.images, found.words) == (2, 1, 1, 3)
    assert 0 < found.ratio < 1
    assert "2 pages" in report(found)


def test_a_draw_is_the_same_again(tmp_path: Path) -> None:
    for package, folder in PACKAGES.items():
        (tmp_path / folder).mkdir(parents=True)
        for number in range(30):
            (tmp_path / folder / f"{number:02}.html").touch()
        assert len(pages_of(tmp_path, package)) == 30
        drawn = draw(tmp_path, package, 5)
        assert drawn == draw(tmp_path, package, 5) != draw(tmp_path, package, 5, seed=1)
