"""Working bodies of every kind, and the same with one thing broken."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.fuzzing_serving.hostile_values import FIELDS, NUMBERS, OTHERS, TEXTS
from benchmarks.fuzzing_serving.sending import Ask
from tests.serving.api.running import episode, few_shot_body, messages_of, url_of

CHAT, FEW_SHOT, SETS = "/v1/chat/completions", "/v1/few_shot", "/v1/few_shot/support_sets"


@dataclass(frozen=True)
class Working:
    """A request that is answered with 2xx.

    Args:
        name: of its kind.
        path: that it is sent to.
        body: as JSON.
    """

    name: str
    path: str
    body: dict[str, Any]


def working() -> list[Working]:
    """One request of each kind; they need the set that is called "fuzz"."""
    shown, asked = episode("caption", shots=2), episode("question-color", 1, shots=2)
    chat = {"model": "miniature", "messages": messages_of(shown), "max_tokens": 4}
    moving = url_of(episode("clip-caption", shots=2).query.visuals[0])
    clip = {"type": "video_url", "video_url": {"url": moving, "fps": 4}}
    with_clip = [{"role": "user", "content": [clip, {"type": "text", "text": "Output:"}]}]
    few = few_shot_body(shown, max_tokens=4)
    query = {"query": few["query"]}
    return [
        Working("chat", CHAT, chat),
        Working("chat stream", CHAT, {**chat, "stream": True, "stop": ["red"], "n": 2}),
        Working("chat scores", CHAT, {**chat, "logprobs": True, "top_logprobs": 3, "seed": 1}),
        Working("chat clip", CHAT, {**chat, "messages": with_clip, "temperature": 0.5}),
        Working("few-shot", FEW_SHOT, few),
        Working("few-shot stream", FEW_SHOT, {**few, "stream": True, "template": "{output}"}),
        Working("few-shot questions", FEW_SHOT, few_shot_body(asked, num_beams=2, max_tokens=4)),
        Working("few-shot choices", FEW_SHOT, {**few_shot_body(shown), "choices": ["red", "a"]}),
        Working("few-shot explained", FEW_SHOT, {**few, "num_beams": 1, "explain": True}),
        Working("few-shot of a set", FEW_SHOT, {**query, "support_set": "fuzz", "max_tokens": 4}),
        Working("set", SETS, {"name": "fuzz", "supports": few["supports"], "replace": True}),
        Working(
            "set with a template",
            SETS,
            {
                "name": "other",
                "supports": few["supports"],
                "replace": True,
                "template": "It says: {output}",
                "format": "flamingo-support-set",
                "version": 1,
            },
        ),
    ]


def broken_bodies(count: int, draw: random.Random) -> Iterator[Ask]:
    """Working requests in each of which one thing is broken."""
    whole = working()
    for number in range(count):
        one = whole[number % len(whole)]
        how = draw.choices(("value", "place", "bytes", "address", "headers"), (60, 15, 15, 7, 3))[0]
        kind = f"bodies: {one.name}, {how}"
        if how == "bytes":
            yield Ask(kind, "POST", one.path, _broken_bytes(dumped(one.body), draw))
        elif how == "address":
            yield Ask(kind, draw.choice(("GET", "DELETE", "PUT", "POST")), _address(draw))
        elif how == "headers":
            yield Ask(kind, "POST", one.path, dumped(one.body), _headers(draw))
        else:
            body = copy.deepcopy(one.body)
            (_break_value if how == "value" else _break_place)(body, draw)
            yield Ask(kind, "POST", one.path, dumped(body))


def _value(draw: random.Random) -> Any:
    return draw.choice(draw.choices((TEXTS, NUMBERS, OTHERS), (5, 2, 3))[0])


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every container of a body, with each of its keys."""
    keys: Sequence[Any] = (
        list(value) if isinstance(value, dict) else range(len(value) if type(value) is list else 0)
    )
    return [(value, key) for key in keys] + [p for key in keys for p in _places(value[key])]


def _break_value(body: Any, draw: random.Random) -> None:
    holder, key = draw.choice(_places(body))
    holder[key] = _value(draw)


def _break_place(body: Any, draw: random.Random) -> None:
    """Leaves something out, repeats it, or adds what does not belong there."""
    holder, key = draw.choice(_places(body))
    how = draw.choice(("without", "more", "twice", "inside"))
    if how == "without":
        del holder[key]
    elif how == "inside":
        holder[key] = [holder[key]] if draw.random() < 0.5 else {"a": holder[key]}
    elif isinstance(holder, list):
        holder += [copy.deepcopy(holder[key])] * (1 if how == "twice" else draw.choice((20, 2000)))
    else:
        holder[draw.choice(FIELDS)] = _value(draw) if how == "more" else holder[key]


def dumped(body: Any) -> bytes:
    """A body as JSON, or something else that is nested deeply, where it is too deep for that."""
    try:
        text = json.dumps(body)
    except RecursionError:
        text = "[" * 5000 + "]" * 5000
    return text.encode()


def _broken_bytes(content: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(content))
    how = draw.randrange(9)
    if how == 0:
        return content[:place]
    if how == 1:
        return content[:place] + bytes([draw.randrange(256)]) + content[place + 1 :]
    if how == 2:
        return content[:place] + draw.randbytes(20) + content[place:]
    if how == 3:
        return content + content
    if how == 4:
        return b"\xef\xbb\xbf" + content
    if how == 5:
        return content.decode().encode("utf-16")
    if how == 6:
        return draw.choice((b"[" * 10_000, b"[" * 900_000, b"[[]" + b",[]" * 500_000 + b"]"))
    if how == 7:
        return content[:-1] + b',"model":' + b"9" * 100_000 + b"}"
    return content.replace(b'"', b"'")


def _address(draw: random.Random) -> str:
    name = draw.choice(
        (
            "../../etc/passwd",
            "..%2f..%2fetc%2fpasswd",
            "a/b",
            ".",
            "..",
            "%00",
            "%ff",
            "set-" + "0" * 24,
            "fuzz",
            "a" * 3000,
            "%2e%2e/",
            "%0d%0aA:b",
            "?a=b",
            "#",
            "file-" + "0" * 32,
            "%E2%80%AE",
            "'",
            "*",
            "%25",
        )
    )
    return (
        draw.choice(
            (
                "/v1/few_shot/support_sets/",
                "/v1/files/",
                "/v1/models/",
                "/static/",
                "/v1/",
                "/",
                "/docs/",
            )
        )
        + name
    )


def _headers(draw: random.Random) -> dict[str, str]:
    return draw.choice(
        (
            {"Content-Type": "text/plain"},
            {"Content-Type": "application/json; charset=utf-16"},
            {"Content-Type": ""},
            {"Content-Type": "application/x-www-form-urlencoded"},
            {"Content-Type": "multipart/form-data; boundary=a"},
            {"Content-Encoding": "gzip"},
            {"Authorization": "Bearer " + "a" * 5000},
            {"Authorization": "Basic \xff"},
            {"X-Request-ID": "a b"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Cookie": "a=" * 1000},
            {"Range": "bytes=0-"},
            {"Accept": "text/event-stream"},
            {"Expect": "100-continue"},
            {"X-Forwarded-For": "../../etc/passwd"},
            {"Host": "169.254.169.254"},
            {"Origin": "null"},
        )
    )
