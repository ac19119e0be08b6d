"""The paper's parameter table, and the same table counted from a model."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from flamingo.model.flamingo import FlamingoForConditionalGeneration

LANGUAGE_MODEL = "language model"
VISION_ENCODER = "vision encoder"
GATED_LAYERS = "gated xattn-dense"
RESAMPLER = "resampler"
WIDENING = "widening of visual tokens"
NEW_TOKENS = "rows of new tokens"
TOTAL = "total"

M, B = 10**6, 10**9
PRINTED: dict[str, dict[str, int]] = {
    name: {
        LANGUAGE_MODEL: language_model,
        VISION_ENCODER: 435 * M,
        GATED_LAYERS: gated,
        RESAMPLER: 194 * M,
        TOTAL: total,
    }
    for name, language_model, gated, total in (
        ("flamingo-3b", 1_400 * M, 1_200 * M, 3_200 * M),
        ("flamingo-9b", 7_100 * M, 1_600 * M, 9_300 * M),
        ("flamingo-80b", 70 * B, 10 * B, 80 * B),
    )
}
"""What the paper prints (Table 5 of v2, Table 1 of v1), with the digits that it prints."""


@dataclass(frozen=True)
class Row:
    """One part of a model.

    Args:
        part: its name.
        num_parameters: how many numbers it holds; shared ones count once.
        num_trainable: how many of them training changes.
        printed: the paper's figure, where there is one.
    """

    part: str
    num_parameters: int
    num_trainable: int
    printed: int | None = None

    @property
    def difference(self) -> float | None:
        """Ours relative to the paper's: 0.01 is one percent more."""
        return self.num_parameters / self.printed - 1 if self.printed else None

    @property
    def training(self) -> str:
        """ "frozen", "trainable", or "partly" where a part has both."""
        if self.num_trainable == 0:
            return "frozen"
        return "trainable" if self.num_trainable == self.num_parameters else "partly"


def parameter_table(
    model: FlamingoForConditionalGeneration, printed: dict[str, int] | None = None
) -> list[Row]:
    """Counts `model` part by part, the total last, beside the figures of `printed`."""
    printed = printed or {}
    rows, counted = [], set[int]()
    for part, module in _parts(model).items():
        rows.append(_count(part, module, counted, printed.get(part)))
    # Whatever is nobody's part would show here, and not only as a total that does not add up.
    rest = _count("other", model, counted, None)
    rows += [rest] if rest.num_parameters else []
    return [*rows, _total(rows, printed.get(TOTAL))]


def _parts(model: FlamingoForConditionalGeneration) -> dict[str, nn.Module]:
    parts: dict[str, nn.Module | None] = {
        LANGUAGE_MODEL: model.language_model,
        VISION_ENCODER: model.vision_encoder,
        GATED_LAYERS: model.gated_xattn_dense,
        RESAMPLER: model.resampler,
        WIDENING: model.widen,
        NEW_TOKENS: model.new_tokens,
    }
    return {part: module for part, module in parts.items() if module is not None}


def _count(part: str, module: nn.Module, counted: set[int], printed: int | None) -> Row:
    new = [value for value in module.parameters() if id(value) not in counted]
    counted.update(map(id, new))
    return Row(
        part=part,
        num_parameters=sum(value.numel() for value in new),
        num_trainable=sum(value.numel() for value in new if value.requires_grad),
        printed=printed,
    )


def _total(rows: list[Row], printed: int | None) -> Row:
    return Row(
        part=TOTAL,
        num_parameters=sum(row.num_parameters for row in rows),
        num_trainable=sum(row.num_trainable for row in rows),
        printed=printed,
    )
