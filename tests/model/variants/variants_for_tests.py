"""The variants of the paper's ablation table as settings of a tiny Flamingo."""

from __future__ import annotations

from typing import Any

VARIANTS: dict[str, dict[str, Any]] = {
    "no_gates": {"gating": "none"},
    "middle": {"xattn_at": "middle"},
    "vanilla": {"xattn_kind": "vanilla", "xattn_every": 1},
    "grafting": {"xattn_kind": "grafting", "grafted_layers": 2},
    "mlp": {"resampler_kind": "mlp"},
    "transformer": {"resampler_kind": "transformer"},
    "all_previous": {"sees": "all_previous"},
    "vanilla_all_previous": {"xattn_kind": "vanilla", "sees": "all_previous"},
    "grafting_all_previous": {"xattn_kind": "grafting", "sees": "all_previous"},
    "vanilla_no_gates": {"xattn_kind": "vanilla", "gating": "none"},
    "grafting_no_gates": {"xattn_kind": "grafting", "gating": "none"},
}
GATED = [name for name, settings in VARIANTS.items() if settings.get("gating") != "none"]
FAMILIES = ["llama", "qwen3", "lfm2"]
