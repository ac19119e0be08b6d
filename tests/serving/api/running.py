"""A real server in a thread, and pictures as clients send them."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from PIL import Image

from flamingo.miniature.few_shot_episodes import FewShotEpisode
from flamingo.miniature.tasks import task_named
from flamingo.sequence import Visual
from flamingo.serving.api.service import Service
from flamingo.serving.server import Server, bound_socket

SEED = 2022
HERE = "http://127.0.0.1"
"""So a server without keys may be asked."""


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    url: str
    service: Service


@contextmanager
def serving(service: Service) -> Iterator[Running]:
    is_ready = threading.Event()
    with bound_socket("127.0.0.1", 0) as listener:
        server = Server(service, listener, grace=5.0, ready=is_ready.set)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        assert is_ready.wait(20)
        yield Running(f"http://127.0.0.1:{listener.getsockname()[1]}", service)
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


def episode(task: str = "caption", index: int = 0, shots: int = 4) -> FewShotEpisode:
    return task_named(task).build(SEED, index, shots)


def url_of(visual: Visual) -> str:
    """A picture as PNG, a clip as GIF: both keep every pixel of the miniature's few colors."""
    frames = [Image.fromarray(frame) for frame in visual.frames]
    file, kind = io.BytesIO(), "gif" if visual.is_video else "png"
    if visual.is_video:
        frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=100)
    else:
        frames[0].save(file, "PNG")
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"


def image_part(visual: Visual) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url_of(visual)}}


def messages_of(shown: FewShotEpisode, prompt: str = "Output:") -> list[dict[str, Any]]:
    """The episode as a conversation: its supports are turns."""

    def user(visual: Visual) -> dict[str, Any]:
        return {"role": "user", "content": [image_part(visual), {"type": "text", "text": prompt}]}

    messages = []
    for support in shown.supports:
        answer = {"role": "assistant", "content": support.fields["output"]}
        messages += [user(support.visuals[0]), answer]
    return [*messages, user(shown.query.visuals[0])]


def few_shot_body(shown: FewShotEpisode, **more: Any) -> dict[str, Any]:
    supports = [{"visual": url_of(s.visuals[0]), **s.fields} for s in shown.supports]
    query = {"visual": url_of(shown.query.visuals[0]), **shown.query.fields}
    return {"supports": supports, "query": query, **more}
