from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flamingo.miniature.samples import example_tiles, world_rows
from flamingo.miniature.sheets import SheetRow, Tile, draw_sheet
from flamingo.miniature.tasks import TASKS
from flamingo.prompting.few_shot import Example
from flamingo.sequence.visual import Visual

RED, BLUE = (200, 20, 20), (20, 20, 200)


def visual(*colors: tuple[int, int, int]) -> Visual:
    return Visual(np.stack([np.full((16, 16, 3), color, np.uint8) for color in colors]))


def size(rows: list[SheetRow], folder: Path, columns: int = 4) -> tuple[int, int]:
    draw_sheet(rows, folder / "sheet.png", columns)
    with Image.open(folder / "sheet.png") as picture:
        assert picture.format == "PNG"
        return picture.size


def test_every_frame_is_there_and_stays_a_square(tmp_path: Path) -> None:
    tiles = (Tile(visual(RED), "red"), Tile(visual(BLUE, BLUE), "a blue clip"))
    size([SheetRow("colors", "two", tiles)], tmp_path)
    with Image.open(tmp_path / "sheet.png") as picture:
        pixels = np.asarray(picture.convert("RGB"))
    for color, num_frames in ((RED, 1), (BLUE, 2)):
        at = (pixels == color).all(-1)
        assert at.any(1).sum() == 128
        assert at.any(0).sum() == 128 * num_frames


def test_a_long_row_goes_on_below(tmp_path: Path) -> None:
    tiles = tuple(Tile(visual(RED), "red") for _ in range(5))
    width, one_line = size([SheetRow("red", "", tiles[:4])], tmp_path)
    same_width, two_lines = size([SheetRow("red", "", tiles)], tmp_path)
    assert same_width == width
    assert two_lines > one_line + 128


def test_of_a_long_clip_some_frames_are_shown(tmp_path: Path) -> None:
    clip = visual(RED, *[(20, 200, 20)] * 6, BLUE)
    size([SheetRow("clip", "", (Tile(clip, "long"),))], tmp_path, columns=3)
    with Image.open(tmp_path / "sheet.png") as picture:
        found = {color for _, color in picture.convert("RGB").getcolors(1 << 24) or []}
    assert {RED, BLUE} <= found


@pytest.mark.parametrize("caption", ["", "a $5 and a $6", "long " * 60, "<é> & $x_1$"])
def test_any_caption_can_stand_below(caption: str, tmp_path: Path) -> None:
    assert size([SheetRow("odd", "", (Tile(visual(RED), caption, "wrong"),))], tmp_path)[1] > 128


@pytest.mark.parametrize("name", TASKS)
def test_every_task_shows_what_it_is(name: str) -> None:
    (row,) = world_rows([TASKS[name]], seed=0)
    assert row.title == name
    assert len(row.tiles) >= 2
    episode = TASKS[name].build(0, 0, len(row.tiles) - 1)
    assert any(tile.caption.endswith(episode.answer) for tile in row.tiles)


def test_the_text_stands_below_the_last_of_several_visuals() -> None:
    tiles = example_tiles(Example((visual(RED), visual(BLUE)), {}), "both")
    assert [tile.caption for tile in tiles] == ["", "both"]
    assert example_tiles(Example((), {}), "nothing to see") == ()
