"""A vision encoder at another resolution than the one it was trained at."""

from __future__ import annotations

from flamingo.model.regions import interpolated_positions
from flamingo.model.vision_encoder import VisionEncoder, build_vision_encoder

_POSITIONS = "body.tower.embeddings.position_embedding.weight"


def at_resolution(encoder: VisionEncoder, image_size: int) -> VisionEncoder:
    """The encoder for pictures of another size; itself, if they have that size already.

    A convolutional encoder sees a larger grid with the same weights. A vision transformer has an
    embedding for each position of its grid: they are interpolated to the new grid, once, and are
    from then on its own, so that it is saved, loaded and trained like any other.

    Args:
        encoder: stays as it is; weights that do not depend on the size are copied.
        image_size: height and width in pixels.

    Raises:
        ConfigError: the size is not a multiple of the encoder's patches or stride.

    Paper: App. B.2.2 (fine-tuning at 480 pixels, after training at 320).
    """
    if image_size == encoder.image_size:
        return encoder
    settings = {**encoder.settings, "image_size": image_size}
    resized = build_vision_encoder(encoder.config, **settings)
    weights = encoder.state_dict()
    if _POSITIONS in weights:
        size = resized.state_dict()[_POSITIONS].shape[0]
        weights[_POSITIONS] = interpolated_positions(weights[_POSITIONS], size)
    example = next(encoder.parameters())
    resized.to(device=example.device, dtype=example.dtype).load_state_dict(weights)
    learns = {name: value.requires_grad for name, value in encoder.named_parameters()}
    for name, parameter in resized.named_parameters():
        parameter.requires_grad_(learns[name])
    return resized.train(encoder.training)
