"""Teaches words by pictures and asks for a new one, with Python's standard library alone.

    flamingo serve --model miniature                               # and in another terminal:
    python examples/serving/few_shot_client.py pictures new.png

`pictures` is a folder of images or clips whose names say what they show: `dax-1.png`, `dax-2.png`,
`blicket-1.jpg`. They become a named support set, which the server reads once; then the new picture
is asked about, and the answer is the likeliest of the words. Where the server has API keys, put
yours into the environment variable FLAMINGO_API_KEY.
"""

from __future__ import annotations

import argparse
import base64
import json
import mimetypes
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class Client:
    """Speaks to a server.

    Args:
        url: of the server, without a path.
        key: that it asks for, if it does.
    """

    def __init__(self, url: str, key: str | None = None) -> None:
        self._url, self._key = url.rstrip("/"), key

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """What the server answers.

        Raises:
            SystemExit: it refuses; with its reason.
        """
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(self._url + path, json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=180) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            with error:
                message = json.load(error)["error"]["message"]
            raise SystemExit(f"{error.code}: {message}") from None
        except urllib.error.URLError as error:
            raise SystemExit(f"{self._url} does not answer: {error.reason}") from None


def is_visual(path: Path) -> bool:
    """Whether a file is named as an image or a clip is."""
    return (mimetypes.guess_type(path.name)[0] or "").startswith(("image/", "video/"))


def data_url(path: Path) -> str:
    """A file as a text that JSON can hold.

    Raises:
        SystemExit: it cannot be read, or is no image or clip.
    """
    if not is_visual(path):
        raise SystemExit(f"{path} is not named as an image or a clip is, such as new.png.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SystemExit(f"{path} cannot be read: {error.strerror}.") from None
    return f"data:{mimetypes.guess_type(path.name)[0]};base64,{base64.b64encode(content).decode()}"


def supports_in(folder: Path) -> list[dict[str, str]]:
    """Each file with the word that it is named for, first ones of all words first.

    Words that take turns teach better than one after the other.

    Raises:
        SystemExit: there is no such folder, or none of its files is an image or a clip.
    """
    if not folder.is_dir():
        raise SystemExit(f"{folder} is no folder. Give one with images such as dax-1.png.")
    numbered: list[tuple[int, str, Path]] = []
    counts: dict[str, int] = {}
    for path in sorted(folder.iterdir()):
        if not is_visual(path):
            continue
        word = re.sub(r"[-_ ]*\d*$", "", path.stem).replace("_", " ")
        counts[word] = counts.get(word, 0) + 1
        numbered.append((counts[word], word, path))
    if not numbered:
        raise SystemExit(f"{folder} has no image or clip.")
    return [{"visual": data_url(path), "output": word} for _, word, path in sorted(numbered)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the answer, how sure it is, and which supports spoke for it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="of pictures that are named for what they show")
    parser.add_argument("query", type=Path, help="the new picture")
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--name", default="words", help="of the support set on the server")
    args = parser.parse_args(arguments)
    client = Client(args.url, os.environ.get("FLAMINGO_API_KEY"))
    supports, query = supports_in(args.folder), data_url(args.query)
    choices = sorted({support["output"] for support in supports})
    # The answer tells whether the server can read the new picture, before a set is replaced.
    client.post("/v1/few_shot", {"query": {"visual": query}, "max_tokens": 1, "num_beams": 1})
    made = client.post(
        "/v1/few_shot/support_sets", {"name": args.name, "supports": supports, "replace": True}
    )
    print(f"{made['name']}: {made['num_supports']} supports, {made['id']}")
    answer = client.post(
        "/v1/few_shot",
        {
            "support_set": args.name,
            "query": {"visual": query},
            "choices": choices,
            "explain": True,
        },
    )
    print(f"{args.query.name}: {answer['answer']}")
    for choice in answer["choices"]:
        print(f"  {choice['probability']:6.1%}  {choice['text']}")
    explanation = answer["explanation"]
    if explanation is None:
        print("The server had no time or room to explain it.")
        return
    print("How much each support spoke for it:")
    for support, effect in zip(supports, explanation["support_effects"], strict=True):
        print(f"  {effect:+6.2f}  {support['output']}")
    if explanation["attention"] is not None:
        print("Where it looked, from few (.) to much (#):")
        print(drawn(explanation["attention"][0]), file=sys.stdout)


def drawn(rows: Sequence[Sequence[float]]) -> str:
    """Shares of attention as characters."""
    most = max(max(row) for row in rows) or 1.0
    return "\n".join(
        "  " + " ".join(".:+*#"[min(4, int(5 * share / most))] for share in row) for row in rows
    )


if __name__ == "__main__":
    main()
