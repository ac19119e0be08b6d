"""The rows of the ablation table, in the paper's order."""

from __future__ import annotations

from collections.abc import Iterable

from flamingo.foundation.errors import ConfigError, nearest
from flamingo.presets.ablations.row import BASELINE, PaperRow, Row

_SAME = "the baseline's rates: the same parts are trained"
_OWN_SHAPE = "the baseline's rates, gates included: every new layer has them"
_NO_GATE = (
    "the baseline's rate; the multiplier of the gates does nothing here. Without gates the new "
    "layers speak at once, so a lower rate may suit them: --learning-rates 0.5,1 tries it"
)
_PRETRAINED = "a tenth of the rate for the pretrained part, the paper's for its language model"
_SCRATCH = "the full rate for the part with random weights, the paper's for its language model"
_BRIEF = "the baseline's rates; the encoder is frozen after a brief first stage of its own"
_BRIEF_VIT = f"{_BRIEF}, at half the rate of the NFNets' first stages"
_AFTER = "after the alignment, which is single things with captions"

_ALL = (
    Row(
        BASELINE,
        "baseline",
        "the bridge with the paper's choices, at the budget of the table",
        "the recipe's: Muon for matrices, gates at four times the rate",
        paper=PaperRow(70.7, 86.5, 42.1, 55.8, 36.3, 53.4),
    ),
    Row(
        "without-clips",
        "training data: w/o video-text pairs",
        f"no clips in training {_AFTER}",
        _SAME,
        ("data.clips=0",),
        PaperRow(67.3, 84.2, 43.0, 53.9, 34.5, 46.0),
    ),
    Row(
        "without-pairs",
        "training data: w/o image-text pairs",
        f"no pictures with captions in training {_AFTER}",
        _SAME,
        ("data.pairs=0",),
        PaperRow(60.9, 66.3, 39.2, 51.6, 32.0, 41.6),
    ),
    Row(
        "without-pages",
        "training data: w/o M3W",
        f"no interleaved pages in training {_AFTER}",
        _SAME,
        ("data.pages=0",),
        PaperRow(53.4, 54.1, 36.5, 52.7, 31.4, 23.5),
    ),
    Row(
        "round-robin",
        "optimization: round robin",
        "every update from one source in turn, instead of the sum of all gradients",
        "the baseline's rates, over as many updates as there are sources, each of one batch",
        ("training.mixing=round_robin",),
        PaperRow(62.9, 76.1, 39.8, 52.1, 33.2, 40.8),
    ),
    Row(
        "no-tanh-gate",
        "tanh gating: no",
        "new layers add what they say as it is, from the first update on",
        _NO_GATE,
        ("model.gating=none",),
        PaperRow(66.5, 78.4, 40.5, 52.9, 35.9, 47.5),
    ),
    Row(
        "vanilla-xattn",
        "cross-attention: vanilla xattn",
        "cross-attention inside of the language model's layers, without a feed-forward of its own",
        _OWN_SHAPE,
        ("model.xattn_kind=vanilla",),
        PaperRow(66.9, 80.6, 41.5, 53.4, 32.9, 50.7),
    ),
    Row(
        "grafting",
        "cross-attention: grafting",
        "new layers on top of the untouched language model",
        _OWN_SHAPE,
        ("model.xattn_kind=grafting",),
        PaperRow(63.1, 79.2, 36.1, 50.8, 32.2, 47.8),
    ),
    Row(
        "xattn-middle",
        "cross-attention frequency: single in middle",
        "one gated layer, before the fourth of six layers",
        _SAME,
        ("model.xattn_at=middle",),
        PaperRow(59.8, 71.5, 38.1, 50.2, 29.1, 42.3),
    ),
    Row(
        "xattn-every-4th",
        "cross-attention frequency: every 4th",
        "gated layers before layers 0 and 4 of six",
        _SAME,
        ("model.xattn_every=4",),
        PaperRow(68.8, 82.3, 42.7, 55.1, 34.6, 50.8),
    ),
    Row(
        "xattn-every-2nd",
        "cross-attention frequency: every 2nd",
        "gated layers before layers 0, 2 and 4 of six",
        _SAME,
        ("model.xattn_every=2",),
        PaperRow(68.2, 83.7, 41.0, 55.8, 34.5, 49.7),
    ),
    Row(
        "resampler-mlp",
        "resampler: MLP",
        "a perceptron with as many parameters instead of the Perceiver Resampler",
        _SAME,
        ("model.resampler_kind=mlp",),
        PaperRow(66.6, 78.6, 42.2, 54.7, 35.2, 44.7),
    ),
    Row(
        "resampler-transformer",
        "resampler: Transformer",
        "a Transformer over features and learned tokens instead of the Perceiver Resampler",
        _SAME,
        ("model.resampler_kind=transformer",),
        PaperRow(66.7, 83.2, 41.7, 55.6, 31.5, 48.3),
    ),
    Row(
        "resampler-small",
        "resampler size: small",
        "one layer instead of two; the paper's sizes are not printed",
        _SAME,
        ("model.resampler_layers=1",),
        PaperRow(67.9, 81.1, 40.4, 54.1, 36.0, 50.2),
    ),
    Row(
        "resampler-large",
        "resampler size: large",
        "four layers instead of two; the paper's sizes are not printed",
        _SAME,
        ("model.resampler_layers=4",),
        PaperRow(69.0, 84.4, 42.2, 54.4, 35.1, 51.4),
    ),
    Row(
        "sees-all-previous",
        "multi-image attention: all previous",
        "text looks at all visuals before it, not at the last one alone",
        _SAME,
        ("model.sees=all_previous",),
        PaperRow(63.5, 70.0, 40.9, 52.0, 32.1, 46.8),
    ),
    Row(
        "p-next-0",
        "p_next: 0.0",
        "every page's text looks at the visual before it",
        _SAME,
        ("data.next_share=0.0",),
        PaperRow(69.6, 85.0, 41.6, 55.2, 36.7, 50.6),
    ),
    Row(
        "p-next-half",
        "p_next: 0.5 (the paper's baseline)",
        "half of the pages' texts look at the visual after them",
        _SAME,
        ("data.next_share=0.5",),
        PaperRow(70.7, 86.5, 42.1, 55.8, 36.3, 53.4),
    ),
    Row(
        "p-next-1",
        "p_next: 1.0",
        "every page's text looks at the visual after it",
        _SAME,
        ("data.next_share=1.0",),
        PaperRow(70.4, 81.3, 43.3, 55.6, 36.8, 52.7),
    ),
    Row(
        "vision-brief",
        "(a control of ours)",
        "the baseline's NFNet, trained as briefly as the two encoders below",
        _BRIEF,
        encoder="vision-brief",
    ),
    Row(
        "vision-small",
        "vision encoder: NFNet-F0",
        "a smaller NFNet",
        _BRIEF,
        paper=PaperRow(62.7, 73.8, 40.5, 52.8, 31.1, 42.9),
        encoder="vision-small",
        reference="vision-brief",
    ),
    Row(
        "vision-vit",
        "vision encoder: CLIP ViT-L/14",
        "a vision transformer of about the NFNet's size",
        _BRIEF_VIT,
        paper=PaperRow(64.9, 76.5, 41.6, 53.4, 33.2, 44.5),
        encoder="vision-vit",
        reference="vision-brief",
    ),
    Row(
        "vision-unfrozen",
        "freezing vision: no, pretrained",
        "the vision encoder goes on learning",
        _PRETRAINED,
        (
            "model.freeze_vision_encoder=false",
            "training.vision_learning_rate_multiplier=0.1",
        ),
        PaperRow(68.1, 83.5, 40.6, 55.1, 34.6, 50.7),
    ),
    Row(
        "vision-unfrozen-scratch",
        "freezing vision: no, random init",
        "the vision encoder learns from random weights, with the bridge",
        _SCRATCH,
        (
            "model.freeze_vision_encoder=false",
            "model.vision_from_scratch=true",
            "training.vision_learning_rate_multiplier=1.0",
        ),
        PaperRow(61.4, 74.5, 41.6, 52.7, 31.4, 35.8),
    ),
    Row(
        "lm-unfrozen",
        "freezing LM: no, pretrained",
        "the language model goes on learning, on the bridge's data alone",
        _PRETRAINED,
        (
            "model.freeze_language_model=false",
            "training.language_learning_rate_multiplier=0.1",
        ),
        PaperRow(62.7, 81.2, 33.7, 47.4, 31.0, 53.9),
    ),
    Row(
        "lm-unfrozen-scratch",
        "freezing LM: no, random init",
        "the language model learns from random weights, on the bridge's data alone",
        _SCRATCH,
        (
            "model.freeze_language_model=false",
            "model.language_from_scratch=true",
            "training.language_learning_rate_multiplier=1.0",
        ),
        PaperRow(57.8, 74.8, 31.5, 45.6, 26.9, 50.1),
    ),
)

ROWS = {row.name: row for row in _ALL}

P_NEXT = {0.0: "p-next-0", 0.5: "p-next-half", 1.0: "p-next-1"}
"""The rows of these shares. A baseline with one of them is, in this respect, that row."""


def chosen_rows(text: str) -> list[Row]:
    """The rows of a list of names with commas, or "all", and those that they are compared with.

    Raises:
        ConfigError: there is no such row.
    """
    names = list(ROWS) if text == "all" else [name.strip() for name in text.split(",")]
    rows = rows_named([BASELINE, *names])
    return rows_named(name for row in rows for name in (row.name, row.reference))


def rows_named(names: Iterable[str]) -> list[Row]:
    """The rows of these names, each once and in the table's order.

    Raises:
        ConfigError: there is no such row.
    """
    wanted = set(names)
    for name in sorted(wanted):
        if name not in ROWS:
            raise ConfigError(f"There is no row {name!r} of the ablation. {nearest(name, ROWS)}")
    return [row for row in _ALL if row.name in wanted]


def paper_difference(row: Row, next_share: float) -> float | None:
    """How far the paper's row lies from its baseline, in points of its overall score.

    Args:
        row: any row.
        next_share: p_next of our baseline. The rows on p_next are compared with the paper's row
            of that value, all others with the paper's baseline, whose value is 0.5.
    """
    against = ROWS[BASELINE].paper
    if row.name in P_NEXT.values():
        same = P_NEXT.get(next_share)
        against = ROWS[same].paper if same else None
    if row.paper is None or against is None:
        return None
    return round(row.paper.overall - against.overall, 1)
