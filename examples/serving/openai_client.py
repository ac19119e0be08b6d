"""OpenAI's client against `flamingo serve`: plain, streamed, by example, about a clip, with scores.

    pip install openai pillow
    flamingo serve --model miniature
    python examples/serving/openai_client.py

The pictures are drawn here, so that nothing has to be at hand. Where the server has API keys, put
yours into the environment variable OPENAI_API_KEY.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
from collections.abc import Sequence
from typing import Any

from openai import BadRequestError, OpenAI
from PIL import Image, ImageDraw

SIDE, RADIUS, FINER = 64, 14, 4
"""In pixels; everything is drawn finer by a factor, so that edges are smooth."""


def picture(color: str, shape: str, x: int = 32, y: int = 32) -> Image.Image:
    """A thing on a gray ground."""
    image = Image.new("RGB", (FINER * SIDE, FINER * SIDE), "gray")
    draw = ImageDraw.Draw(image)
    if shape == "circle":
        draw.circle((FINER * x, FINER * y), FINER * RADIUS, fill=color)
    else:
        corners = {"square": 4, "triangle": 3}[shape]
        draw.regular_polygon((FINER * x, FINER * y, FINER * RADIUS), corners, fill=color)
    return image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def image_part(image: Image.Image) -> dict[str, Any]:
    """A picture as a part of a message."""
    file = io.BytesIO()
    image.save(file, "PNG")
    url = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


def clip_part(frames: Sequence[Image.Image], num_frames: int) -> dict[str, Any]:
    """A clip as a part of a message: OpenAI's API has none, but its client sends it as it is."""
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=list(frames[1:]), duration=200)
    url = f"data:image/gif;base64,{base64.b64encode(file.getvalue()).decode()}"
    return {"type": "video_url", "video_url": {"url": url, "num_frames": num_frames}}


def user(*parts: dict[str, Any] | str) -> dict[str, Any]:
    """A turn of the user's: pictures, clips and text, in the order in which they are read."""
    texts = [{"type": "text", "text": part} if isinstance(part, str) else part for part in parts]
    return {"role": "user", "content": texts}


def plain(client: OpenAI, model: str) -> str:
    """One picture, one answer. "Output:" is how the paper asks for a caption."""
    messages: Any = [user(image_part(picture("red", "circle")), "Output:")]
    answer = client.chat.completions.create(model=model, messages=messages, max_tokens=20)
    return answer.choices[0].message.content or ""


def streamed(client: OpenAI, model: str) -> list[str]:
    """The same, word by word."""
    messages: Any = [user(image_part(picture("blue", "square")), "Output:")]
    stream = client.chat.completions.create(
        model=model, messages=messages, max_tokens=20, stream=True
    )
    pieces = (chunk.choices[0].delta.content for chunk in stream if chunk.choices)
    return [piece for piece in pieces if piece]


def by_example(client: OpenAI, model: str) -> tuple[str, int]:
    """Several pictures: turns that are examples. They are read once, whoever sends them again.

    Returns:
        the answer, and how many tokens of the prompt the server had read before.
    """
    messages: list[Any] = []
    for color, shape in (("red", "square"), ("blue", "triangle"), ("green", "circle")):
        messages.append(user(image_part(picture(color, shape)), "Output:"))
        messages.append({"role": "assistant", "content": f"{color} {shape}"})
    answer: Any = None
    for color in ("yellow", "blue"):
        asked = [*messages, user(image_part(picture(color, "square")), "Output:")]
        answer = client.chat.completions.create(model=model, messages=asked, max_tokens=20)
    return answer.choices[0].message.content, answer.usage.prompt_tokens_details.cached_tokens


def about_a_clip(client: OpenAI, model: str) -> str:
    """A circle that goes from left to right, of which eight frames are looked at."""
    frames = [picture("purple", "circle", x=16 + 4 * step) for step in range(8)]
    messages: Any = [user(clip_part(frames, 8), "Output:")]
    answer = client.chat.completions.create(model=model, messages=messages, max_tokens=20)
    return answer.choices[0].message.content or ""


def with_scores(client: OpenAI, model: str) -> list[tuple[str, float, list[str]]]:
    """Each token with its log-probability, and the three likeliest in its place."""
    messages: Any = [user(image_part(picture("yellow", "triangle")), "Output:")]
    answer: Any = client.chat.completions.create(
        model=model, messages=messages, max_tokens=20, logprobs=True, top_logprobs=3
    )
    return [
        (one.token, one.logprob, [other.token for other in one.top_logprobs])
        for one in answer.choices[0].logprobs.content
    ]


def refused(client: OpenAI, model: str) -> str:
    """An error says what is wrong and which field is to blame."""
    messages: Any = [
        user({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}})
    ]
    try:
        client.chat.completions.create(model=model, messages=messages)
    except BadRequestError as error:
        return f"{error.param}: {error.body['message'] if isinstance(error.body, dict) else error}"
    raise AssertionError("a damaged picture was taken")


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints what the server says to all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000/v1")
    args = parser.parse_args(arguments)
    key = os.environ.get("OPENAI_API_KEY") or "none"
    with OpenAI(base_url=args.url, api_key=key) as client:
        model = client.models.list().data[0].id
        print("a red circle:", plain(client, model))
        print("a blue square, streamed:", "|".join(streamed(client, model)))
        answer, known = by_example(client, model)
        print(f"a blue square, by example: {answer} ({known} tokens of the prompt were known)")
        print("a clip of a purple circle:", about_a_clip(client, model))
        for token, logprob, others in with_scores(client, model):
            print(f"  {token!r} {logprob:.2f}, the likeliest: {others}")
        print("a damaged picture:", refused(client, model))


if __name__ == "__main__":
    main()
