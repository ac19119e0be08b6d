"""An evaluation as one self-contained HTML page: curves, table, attention, answers, the world."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from PIL import Image

from flamingo.miniature.replies import Reply, TaskReplies
from flamingo.miniature.samples import example_tiles, support_tiles
from flamingo.miniature.sheets import SheetRow, Tile
from flamingo.miniature.tasks import FewShotTask
from flamingo.sequence.visual import Visual

_LARGEST_SIDE = 256


@dataclass(frozen=True)
class Chart:
    """A picture of numbers.

    Args:
        title: what it shows.
        explanation: how to read it.
        alternative: what it tells those who cannot see it.
        png: the file's content.
    """

    title: str
    explanation: str
    alternative: str
    png: bytes


@dataclass(frozen=True)
class EvaluationPage:
    """All that the page tells.

    Args:
        title: of the page.
        charts: in their order.
        table: header and rows of the few-shot table.
        notes: what its reader must know.
        attention: queries and where their answers looked.
        answered: some answers to each task.
        world: samples of each task.
        facts: how all of it was made, by name.
        warnings: what the page lacks, or should be read with care for.
    """

    title: str
    charts: Sequence[Chart]
    table: Sequence[Sequence[str]]
    notes: Sequence[str]
    attention: Sequence[SheetRow]
    answered: Sequence[TaskReplies]
    world: Sequence[SheetRow]
    facts: Mapping[str, str]
    warnings: Sequence[str] = ()


def evaluation_page(page: EvaluationPage) -> str:
    """The page as HTML; nothing in it points outside of it."""
    environment = Environment(
        loader=PackageLoader("flamingo.miniature", "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    header, *rows = page.table
    return environment.get_template("evaluation.html.j2").render(
        page=page,
        charts=[(chart, _url("png", chart.png)) for chart in page.charts],
        header=header,
        rows=rows,
        answered=[
            (one, [_reply(reply, one.task) for reply in one.replies]) for one in page.answered
        ],
        attention=[_row(row) for row in page.attention],
        world=[_row(row) for row in page.world],
    )


def _url(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _moving_or_still(visual: Visual) -> str:
    """A `data:` URL: WebP, as a page of many noisy pictures would be five times as long in PNG."""
    frames = [Image.fromarray(frame) for frame in visual.frames]
    for frame in frames:
        frame.thumbnail((_LARGEST_SIDE, _LARGEST_SIDE))
    more: dict[str, Any] = {"append_images": frames[1:], "duration": 250, "loop": 0}
    buffer = io.BytesIO()
    frames[0].save(buffer, "webp", quality=95, save_all=visual.is_video, **more)
    return _url("webp", buffer.getvalue())


def _row(row: SheetRow) -> dict[str, Any]:
    return {"title": row.title, "note": row.note, "tiles": _figures(row.tiles)}


def _figures(tiles: Sequence[Tile]) -> list[dict[str, str]]:
    return [
        {
            "picture": _moving_or_still(tile.visual),
            "kind": "Clip" if tile.visual.is_video else "Picture",
            "caption": tile.caption,
            "tone": tile.tone,
        }
        for tile in tiles
    ]


def _reply(reply: Reply, task: FewShotTask | None) -> dict[str, Any]:
    supports: tuple[Tile, ...] = ()
    query: tuple[Tile, ...] = ()
    if task is not None and reply.episode is not None:
        supports = support_tiles(task, reply.episode)
        asked = task.template.query(**reply.episode.query.fields) or "(the query)"
        query = example_tiles(reply.episode.query, asked)
    shares = reply.answer.probabilities()
    return {
        "supports": _figures(supports),
        "query": _figures(query),
        "prompt": reply.prompt,
        "answer": reply.answer.text,
        "truth": reply.truth,
        "tone": reply.tone,
        "score": reply.answer.score,
        "candidates": [(text, score, shares[text]) for text, score in reply.answer.choices],
    }
