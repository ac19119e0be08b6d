"""What lmms-eval reads to learn that this model exists."""

from __future__ import annotations

from typing import Any

NAME = "flamingo"


def manifest() -> Any:
    """The entry of its registry; lmms-eval calls this by the entry point `lmms_eval.models`."""
    # Imported here: only lmms-eval asks, and it is not needed for anything else.
    from lmms_eval.models.registry_v2 import ModelManifest  # type: ignore[import-not-found]

    return ModelManifest(
        model_id=NAME, simple_class_path="flamingo.evaluation.lmms_adapter.FlamingoForLmmsEval"
    )
