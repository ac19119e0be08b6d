"""The page's files refer to nothing outside, and to nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import flamingo.serving

PAGE = Path(flamingo.serving.__file__).parent / "page"
STATIC = PAGE / "static"
INDEX = (PAGE / "index.html").read_text(encoding="utf-8")
FILES = sorted(path for path in PAGE.rglob("*") if path.is_file())
SCRIPTS = [path for path in FILES if path.suffix == ".js"]
STYLES = [path for path in FILES if path.suffix == ".css"]
IDS = set(re.findall(r'\bid="([^"]+)"', INDEX))


def _names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(PAGE)) for path in paths]


@pytest.mark.parametrize("path", FILES, ids=_names(FILES))
def test_nothing_is_loaded_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|\burl\(|@import|[\"'(]//", text)


@pytest.mark.parametrize("path", SCRIPTS + STYLES, ids=_names(SCRIPTS + STYLES))
def test_a_file_is_small_and_says_what_it_is_for(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    limit = 150 if path.suffix == ".js" else 420
    assert len(lines) <= limit
    assert lines[0].startswith(("// ", "/* "))


def test_the_page_has_no_inline_scripts_and_styles() -> None:
    assert not re.search(r"<style|<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=", INDEX)


def test_every_file_that_the_page_names_is_there_and_used() -> None:
    named = set(re.findall(r'(?:src|href)="(static/[^"#]+)', INDEX))
    assert named
    assert all((PAGE / name).is_file() for name in named)
    styles = {str(path.relative_to(PAGE)) for path in STYLES}
    assert styles <= named


def test_scripts_import_what_is_there() -> None:
    for path in SCRIPTS:
        for names, source in re.findall(
            r'import \{([^}]+)\} from "([^"]+)"', path.read_text(encoding="utf-8")
        ):
            target = (path.parent / source).resolve()
            assert target.is_relative_to(STATIC), f"{path.name} imports {source}"
            text = target.read_text(encoding="utf-8")
            for name in filter(None, (one.strip() for one in names.split(","))):
                assert re.search(rf"export (?:async )?(?:class|const|function\*?) {name}\b", text)


def test_every_export_is_used() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in SCRIPTS}
    for path, text in texts.items():
        for name in re.findall(r"export (?:async )?(?:class|const|function\*?) (\w+)", text):
            others = (other for at, other in texts.items() if at != path)
            assert any(re.search(rf"\b{name}\b", other) for other in others), f"{name} in {path}"


def test_every_id_that_scripts_look_for_is_on_the_page_once() -> None:
    assert len(re.findall(r'\bid="', INDEX)) == len(IDS)
    for path in SCRIPTS:
        text = path.read_text(encoding="utf-8")
        wanted = re.findall(r'(?:byId|getElementById)\("([\w-]+)"\)', text)
        wanted += re.findall(r'"#([\w-]+)[\s">\[.]', text)
        assert set(wanted) <= IDS, f"{path.name}: {set(wanted) - IDS}"


def test_every_place_of_a_problem_is_on_the_page() -> None:
    texts = [path.read_text(encoding="utf-8") for path in SCRIPTS]
    places = {name for text in texts for name in re.findall(r'=> "(\w+)"\]', text)}
    places |= {name for t in texts for name in re.findall(r'(?:Problem\()"(\w+)",', t)}
    assert {"question", "choices", "query", "settings", "ask", "supports"} <= places
    assert {f"{place}-problem" for place in places} <= IDS


def test_every_icon_is_drawn_and_used() -> None:
    drawn = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons.svg").read_text("utf-8")))
    used = set(re.findall(r"icons\.svg#([\w-]+)", INDEX))
    scripts = "\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
    named = set(re.findall(r'(?:\bicon|iconButton|wordButton)\("([\w-]+)"', scripts))
    assert used | named <= drawn
    assert all(f'"{name}"' in scripts or name in used for name in drawn)


def test_labels_and_titles_are_of_things_on_the_page() -> None:
    referred = re.findall(r'(?:aria-labelledby|aria-describedby|for)="([^"]+)"', INDEX)
    assert set(referred) <= IDS


def _colors(theme: int) -> dict[str, str]:
    text = (STATIC / "css" / "colors.css").read_text(encoding="utf-8")
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", text)
    return {name: both[theme] for name, *both in pairs}


def _luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


TEXT = [
    *(("ink", ground) for ground in ("ground", "surface", "sunken", "raised", "blush")),
    *(("quiet", ground) for ground in ("ground", "surface", "sunken")),
    *(("accent-strong", ground) for ground in ("surface", "blush")),
    ("accent", "surface"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("danger", "danger-ground"),
    ("for", "sunken"),
    ("ground", "ink"),
]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT)
def test_text_stands_out(theme: int, text: str, ground: str) -> None:
    colors = _colors(theme)
    assert _contrast(colors[text], colors[ground]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("part", ["edge", "accent", "for", "against"])
def test_what_is_no_text_stands_out(theme: int, part: str) -> None:
    colors = _colors(theme)
    assert _contrast(colors[part], colors["surface"]) >= 3
