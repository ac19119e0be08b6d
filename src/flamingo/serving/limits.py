"""How much one request, and all of them together, may ask of the server."""

from __future__ import annotations

from dataclasses import dataclass, fields

from flamingo.foundation.errors import ConfigError


@dataclass(frozen=True)
class Limits:
    """Bounds, each of which is checked before the work that it bounds.

    Args:
        request_bytes: of the body of a request.
        visual_bytes: of the file of one image or clip.
        pixels: of one image, or of one frame of a clip as it is stored.
        visuals: images and clips in one request, supports included.
        frames: of one clip that are looked at.
        stored_frames: that a clip may have in its file.
        request_pixels: of everything that one request shows, decoded.
        decode_seconds: in which everything that one request shows is fetched and decoded.
        visual_cache_bytes: of decoded visuals that are kept in case they are sent again.
        prompt_tokens: of a prompt.
        new_tokens: of an answer.
        answers: of one prompt.
        choices: of a close-ended question.
        seconds: from when a request is accepted to its last word.
        queued: requests that wait.
        pixel_bytes: of all accepted requests together, decoded.
        rows: answers that are written at the same time.
        batches: sets of answers that take turns.
        prefix_bytes: of the keys and values of prompts' beginnings that are kept.
        visual_token_bytes: of what the model saw of images and clips, and is kept.
        support_sets: that are kept by name.
        support_set_bytes: of all of these together.
        uploads: files that are kept for later requests.
        upload_bytes: of all of these together.

    Raises:
        ConfigError: a bound is not above 0.
    """

    request_bytes: int = 48 * 2**20
    visual_bytes: int = 24 * 2**20
    pixels: int = 24_000_000
    visuals: int = 96
    frames: int = 32
    stored_frames: int = 20_000
    request_pixels: int = 100_000_000
    decode_seconds: float = 20.0
    visual_cache_bytes: int = 2**28
    prompt_tokens: int = 8192
    new_tokens: int = 512
    answers: int = 8
    choices: int = 200
    seconds: int | float = 120.0
    queued: int = 256
    pixel_bytes: int = 2**30
    rows: int = 32
    batches: int = 4
    prefix_bytes: int = 2**30
    visual_token_bytes: int = 2**28
    support_sets: int = 1000
    support_set_bytes: int = 2**30
    uploads: int = 1000
    upload_bytes: int = 2**29

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if not value > 0:
                raise ConfigError(f"The limit {one.name} is {value}, but must be above 0.")
