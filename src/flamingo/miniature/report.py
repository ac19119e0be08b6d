"""The demo as one self-contained HTML page: pictures, answers, attention, gates."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from PIL import Image
from torch import Tensor

from flamingo.miniature.showcase import Asked, Shown
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.gated_xattn_dense import gate_opening
from flamingo.model.variants.places import gated_places
from flamingo.prompting import Example
from flamingo.sequence import Visual

_SIDE = 96
_HEAT = np.array([255, 64, 32], dtype=np.float32)


def report_page(
    shown: Sequence[Shown], model: FlamingoForConditionalGeneration, facts: dict[str, str]
) -> str:
    """The page as HTML; nothing in it points outside of it.

    Args:
        shown: the parts of the demo.
        model: for its gate values.
        facts: what stands in the head of the page, such as versions and times.
    """
    environment = Environment(
        loader=PackageLoader("flamingo.miniature", "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("demo.html.j2")
    return template.render(
        facts=facts, parts=[_part(one) for one in shown], gates=gate_table(model)
    )


@dataclass(frozen=True)
class Gates:
    """|tanh α| of one gated layer's two gates: 0 is closed.

    Attributes:
        layer: number of the decoder layer that it stands before.
        xattn: of the cross-attention.
        dense: of the feed-forward.
    """

    layer: int
    xattn: float
    dense: float


def gate_table(model: FlamingoForConditionalGeneration) -> list[Gates]:
    """The gates of every gated layer (paper: Fig. 6)."""
    blocks: Any = model.gated_xattn_dense
    places = gated_places(model.config, len(model.host.layers))
    return [
        Gates(layer, _opening(block, "alpha_xattn"), _opening(block, "alpha_dense"))
        for layer, block in zip(places, blocks, strict=True)
    ]


def _opening(block: Any, name: str) -> float:
    """|tanh α|; what a variant has no gate for is always open."""
    alpha = getattr(block, name, None)
    return 1.0 if alpha is None else gate_opening(alpha)


def _part(shown: Shown) -> dict[str, Any]:
    return {
        "scenario": shown.scenario,
        "held_out": shown.task.is_held_out,
        "num_right": shown.num_right,
        "asked": [_asked(one, shown) for one in shown.asked],
    }


def _asked(one: Asked, shown: Shown) -> dict[str, Any]:
    template = shown.task.template
    query = one.episode.query
    return {
        "supports": [
            {"picture": picture(_visual(s)), "text": template.support(**s.fields)}
            for s in one.episode.supports
        ],
        "picture": picture(_visual(query)),
        "attention": picture(overlay(_visual(query), one.attention)),
        "text": template.query(**query.fields),
        "answer": one.answer.text,
        "truth": one.episode.answer,
        "is_right": one.is_right,
        "score": one.answer.score,
        "shares": sorted(one.answer.probabilities().items(), key=lambda pair: -pair[1]),
    }


def _visual(example: Example) -> Visual:
    return example.visuals[0]


def overlay(visual: Visual, attention: Float[Tensor, "frames positions"]) -> Visual:
    """The visual, darkened where nothing is looked at and warm where much is."""
    side = int(attention.shape[1] ** 0.5)
    heat = (attention / attention.max()).reshape(-1, side, side).numpy()
    frames = []
    for frame, map_ in zip(visual.frames, heat, strict=True):
        size = (frame.shape[1], frame.shape[0])
        smooth = Image.fromarray((map_ * 255).astype(np.uint8)).resize(
            size, Image.Resampling.BICUBIC
        )
        weight = np.asarray(smooth, dtype=np.float32)[..., None] / 255
        frames.append(frame * (0.35 + 0.25 * weight) + _HEAT * 0.6 * weight)
    return Visual.from_frames(np.stack(frames).clip(0, 255).astype(np.uint8))


def picture(visual: Visual) -> str:
    """A `data:` URL of a PNG, or of an animated GIF for a video."""
    frames = [
        Image.fromarray(frame).resize((_SIDE, _SIDE), Image.Resampling.NEAREST)
        for frame in visual.frames
    ]
    kind = "gif" if visual.is_video else "png"
    more = {"save_all": True, "append_images": frames[1:], "duration": 250, "loop": 0}
    buffer = io.BytesIO()
    frames[0].save(buffer, kind, **(more if visual.is_video else {}))
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"
