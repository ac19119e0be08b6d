"""Pictures and clips from files: chosen, dropped, pasted; made smaller or refused with a reason."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flamingo.serving.api.service import Service
from flamingo.serving.engine import Engine
from flamingo.serving.limits import Limits
from tests.serving.api.running import episode, serving, url_of
from tests.serving.page.watched import Watched

pytestmark = pytest.mark.slow

# Hands files to the page as a drop or a paste would.
GIVE = """([selector, kind, files]) => {
  const data = new DataTransfer();
  for (const [name, type, text] of files) {
    const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
    data.items.add(new File([bytes], name, { type }));
  }
  const event = kind === 'paste'
    ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
    : new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
  document.querySelector(selector).dispatchEvent(event);
}"""


def _base64(url: str) -> str:
    return url.split(",", 1)[1]


def _picture(size: tuple[int, int], kind: str = "PNG", noise: bool = False) -> bytes:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (*size[::-1], 3), np.uint8) if noise else None
    picture = Image.new("RGB", size, "red") if pixels is None else Image.fromarray(pixels)
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


def test_several_files_at_once_make_several_cards(visit: Callable[..., Watched]) -> None:
    page = visit()
    shots = episode().supports
    files = [
        [f"{i}.png", "image/png", _base64(url_of(shot.visuals[0]))] for i, shot in enumerate(shots)
    ]
    page.page.evaluate(GIVE, ["#teach", "drop", files])
    page.page.wait_for_selector(".card >> nth=3")
    for card, shot in zip(page.page.locator(".card-said").all(), shots, strict=True):
        card.fill(shot.fields["output"])
    query = [["q.png", "image/png", _base64(url_of(episode().query.visuals[0]))]]
    page.page.evaluate(GIVE, ["#query-slot", "drop", query])
    page.page.wait_for_selector("#query-picture img")
    assert page.ask() == episode().answer


def test_what_is_pasted_becomes_a_card_or_the_query(visit: Callable[..., Watched]) -> None:
    page = visit()
    file = [["p.png", "image/png", _base64(url_of(episode().query.visuals[0]))]]
    page.page.evaluate(GIVE, ["body", "paste", file])
    page.page.wait_for_selector(".card img")
    page.page.focus("#query-draw")
    page.page.evaluate(GIVE, ["#query-draw", "paste", file])
    page.page.wait_for_selector("#query-picture img")
    assert page.page.locator(".card").count() == 1


def test_clips_play_while_they_are_looked_at_and_are_asked_about(
    visit: Callable[..., Watched],
) -> None:
    page = visit()
    asked = episode("clip-motion", shots=4)
    page.page.click("label:has([name=mode][value=question])")
    page.page.fill("#shared-question", asked.query.fields["question"])
    for i, shot in enumerate(asked.supports):
        file = [[f"{i}.gif", "image/gif", _base64(url_of(shot.visuals[0]))]]
        page.page.evaluate(GIVE, ["#teach", "drop", file])
        page.page.wait_for_selector(f".card >> nth={i}")
        page.page.locator(".card-said").nth(i).fill(shot.fields["answer"])
    page.page.wait_for_selector(".card .clip canvas.still")
    page.page.locator(".card-picture").first.focus()
    assert not page.page.locator(".card .still").first.is_visible()
    page.page.locator(".card-picture").nth(1).focus()
    assert page.page.locator(".card .still").first.is_visible()
    file = [["q.gif", "image/gif", _base64(url_of(asked.query.visuals[0]))]]
    page.page.evaluate(GIVE, ["#query-slot", "drop", file])
    page.page.wait_for_selector("#query-picture .clip")
    assert page.ask()
    assert page.page.locator("#heat-frame-field").is_visible()
    page.page.locator("#heat-frame").fill("2")
    assert page.page.inner_text("#heat-frame-number").startswith("3 of ")


def _video() -> bytes:
    av = pytest.importorskip("av")
    file = io.BytesIO()
    with av.open(file, "w", format="webm") as container:
        stream = container.add_stream("libvpx-vp9", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for number in range(12):
            pixels = np.full((64, 64, 3), 240, np.uint8)
            pixels[20:40, 4 + 3 * number : 24 + 3 * number] = (222, 36, 40)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return file.getvalue()


def test_a_video_plays_on_hover_and_is_asked_about(visit: Callable[..., Watched]) -> None:
    page = visit()
    file = [["moving.webm", "video/webm", base64.b64encode(_video()).decode()]]
    page.page.evaluate(GIVE, ["#teach", "drop", file])
    page.page.locator(".card-said").fill("the red square moves right")
    page.page.evaluate(GIVE, ["#query-slot", "drop", file])
    page.page.wait_for_selector("#query-picture video")
    is_paused = "document.querySelector('.card video').paused"
    assert page.page.evaluate(is_paused)
    page.page.hover(".card-picture")
    assert not page.page.evaluate(is_paused)
    page.page.hover("h1")
    assert page.page.evaluate(is_paused)
    assert page.ask() == "the red square moves right"
    assert page.page.inner_text("#heat-frame-number").endswith(" of 8")


def test_the_limits_of_the_server_are_kept(visit: Callable[..., Watched], engine: Engine) -> None:
    limits = Limits(visual_bytes=100_000)
    with serving(Service.of(engine, limits)) as running:
        page = visit(running.url)
        page.page.wait_for_selector("#model:not([hidden])")
        noisy = base64.b64encode(_picture((400, 300), noise=True)).decode()
        files = [["noise.png", "image/png", noisy], ["long.mp4", "video/mp4", noisy]]
        page.page.evaluate(GIVE, ["#query-slot", "drop", files])
        page.page.wait_for_selector("#query-picture img")
        assert page.page.evaluate("document.querySelector('#query-picture img').src.length") < (
            limits.visual_bytes * 4 / 3 + 40
        )
        assert "400 × 300 became" in page.page.inner_text("#query-note")
        page.page.wait_for_selector("#query-problem:not([hidden])")
        assert page.problems()[0].startswith("The clip long.mp4 has 0.3 MB")
        page.page.click("label:has([name=ending][value=closed])")
        for choice in ("yes", "no"):
            page.page.fill("#new-choice", choice)
            page.page.keyboard.press("Enter")
        assert page.ask() in ("yes", "no")


def test_a_picture_above_the_limits_is_made_smaller_and_it_says_so(
    visit: Callable[..., Watched], tmp_path: Path
) -> None:
    page = visit()
    large = tmp_path / "large.png"
    large.write_bytes(_picture((6400, 4200)))
    with page.page.expect_file_chooser() as chooser:
        page.page.click("#query-file")
    chooser.value.set_files(large)
    page.page.wait_for_selector("#query-picture img")
    assert "6400 × 4200 became" in page.page.inner_text("#query-note")
    width, height = page.page.evaluate(
        "(() => { const i = document.querySelector('#query-picture img');"
        "return [i.naturalWidth, i.naturalHeight]; })()"
    )
    assert width * height <= 24_000_000
    assert width / height == pytest.approx(6400 / 4200, rel=0.01)


def test_a_file_that_is_no_picture_is_refused_beside_the_place(
    visit: Callable[..., Watched], tmp_path: Path
) -> None:
    page = visit()
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    good = tmp_path / "good.png"
    good.write_bytes(_picture((80, 60)))
    page.page.set_input_files("#file-input", [])
    with page.page.expect_file_chooser() as chooser:
        page.page.click("#add-files")
    chooser.value.set_files([broken, good])
    page.page.wait_for_selector("#supports-problem:not([hidden])")
    assert page.problems() == ["broken.png cannot be read as a picture. Save it as PNG or JPEG."]
    assert page.page.locator(".card").count() == 1
