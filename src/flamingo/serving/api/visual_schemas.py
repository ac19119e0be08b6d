"""How a body names an image or a clip, and what the media reader is asked for it."""

from __future__ import annotations

from pydantic import Field

from flamingo.serving.api.bodies import Strict
from flamingo.serving.files import UploadedFiles
from flamingo.serving.media import MediaRequest

_URL = "A `data:` URL, or an https URL of a host that the server allows."


class FileId(Strict):
    """A file that was uploaded to `/v1/files`."""

    file_id: str = Field(max_length=200)


class VideoUrl(Strict):
    """Where a clip is, and which of its frames are looked at."""

    url: str = Field(description=_URL)
    fps: float | None = Field(None, gt=0, description="Frames per second that are looked at.")
    num_frames: int | None = Field(None, ge=1, description="Frames, evenly spread.")
    max_frames: int | None = Field(None, ge=1, description="Frames at most.")


VisualSource = str | FileId | VideoUrl
"""A URL, an uploaded file, or a URL with the frames of a clip that are looked at."""

VISUAL = (
    "An image or a clip: a `data:` URL, an https URL of a host that the server allows, an object "
    "with the `file_id` of an uploaded file, or one with `url` and which frames are looked at."
)


def media_request(
    source: VisualSource, param: str, files: UploadedFiles, owner: str
) -> MediaRequest:
    """What is to be read.

    Args:
        source: as the body names it.
        param: the body's field.
        files: of all clients.
        owner: who asks.

    Raises:
        Unknown: the client has no such file.
    """
    if isinstance(source, FileId):
        return MediaRequest(files.get(owner, source.file_id).content, param=param)
    if isinstance(source, VideoUrl):
        return MediaRequest(
            source.url,
            fps=source.fps,
            num_frames=source.num_frames,
            max_frames=source.max_frames,
            param=param,
        )
    return MediaRequest(source, param=param)
