"""Both towers on disk: a folder that is a vision encoder's too, with the text tower inside."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel

from flamingo.foundation.errors import CheckpointError
from flamingo.model.checkpoints.vision import WEIGHTS, load_vision_encoder, save_vision_encoder
from flamingo.model.contrastive import ContrastiveModel

TEXT = "text"
"""The folder inside that holds the text tower, the projections and the temperature."""

_VISION = "vision_encoder."
_PROJECTION = "visual_projection.weight"


def save_contrastive(model: ContrastiveModel, folder: Path) -> None:
    """Writes both towers; `load_vision_encoder(folder)` reads the one for pictures alone."""
    save_vision_encoder(model.vision_encoder, folder)
    rest = {
        name: value.contiguous().cpu()
        for name, value in model.state_dict().items()
        if not name.startswith(_VISION)
    }
    (folder / TEXT).mkdir(parents=True, exist_ok=True)
    save_file(rest, folder / TEXT / WEIGHTS, metadata={"format": "pt"})
    model.text_encoder.config.save_pretrained(folder / TEXT)


def load_contrastive(folder: Path) -> ContrastiveModel:
    """Reads what `save_contrastive` wrote.

    Raises:
        CheckpointError: there is no text tower, or its weights do not fit its configuration.
    """
    path = folder / TEXT / WEIGHTS
    if not path.is_file():
        raise CheckpointError(
            f"There is no text tower at {path}. Give the folder that a contrastive run left, "
            f"DIR/model; a vision encoder alone has no place for texts."
        )
    weights = load_file(path)
    text = BertModel(BertConfig.from_pretrained(folder / TEXT), add_pooling_layer=False)
    dim = len(weights[_PROJECTION]) if _PROJECTION in weights else 1
    model = ContrastiveModel(load_vision_encoder(folder), text, dim=dim)
    result = model.load_state_dict(weights, strict=False)
    missing = [name for name in result.missing_keys if not name.startswith(_VISION)]
    if missing or result.unexpected_keys:
        raise CheckpointError(
            f"The weights at {path} do not fit the configuration beside them. "
            f"Missing: {missing or 'none'}. Unknown: {result.unexpected_keys or 'none'}."
        )
    return model.eval()
