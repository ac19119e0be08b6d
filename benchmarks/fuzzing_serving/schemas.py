"""Schemathesis on the server's OpenAPI document, all its phases."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.serving.api.running import episode, url_of

_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
_TO_END = 400.0


@dataclass(frozen=True)
class SchemaRun:
    """What Schemathesis did.

    Attributes:
        statuses: how often each, as the server counted.
        failures: of its checks, as it describes them.
        summary: its last lines.
    """

    statuses: dict[str, int]
    failures: list[str]
    summary: str


def run_schemathesis(port: int, folder: Path, seed: int, num_examples: int) -> SchemaRun:
    """Runs it, one request after the other.

    Args:
        port: of the server.
        folder: in which it works.
        seed: of its draws.
        num_examples: for each operation, in the phases that draw.
    """
    address = f"http://127.0.0.1:{port}"
    document = folder / "openapi.json"
    document.write_text(json.dumps(_deepened(_got(f"{address}/openapi.json"))), encoding="utf-8")
    before = _statuses(address)
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", str(document), "--url", address),
        *("--phases", "examples,coverage,fuzzing,stateful", "-n", str(num_examples), "-w", "1"),
        *("--checks", ",".join(_CHECKS), "--continue-on-failure", "--seed", str(seed)),
        *("--request-timeout", "60", "--warnings", "off"),
    ]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=_TO_END, check=False
    )
    after = _statuses(address)
    failures = re.findall(r"^- .+$\n(?:^\s.*\n|^\n)*?(?=\n)", done.stdout, re.MULTILINE)
    if done.returncode not in (0, 1):
        failures.append(f"it ended with {done.returncode}: {done.stderr[-500:]}")
    return SchemaRun(
        {status: after[status] - before.get(status, 0) for status in after},
        [one.strip() for one in failures],
        done.stdout[-1500:],
    )


def _deepened(document: dict[str, Any]) -> dict[str, Any]:
    """The document with a model and visuals that exist, so that draws get further."""
    visuals = [url_of(episode(index=index, shots=1).query.visuals[0]) for index in range(2)]
    visuals += ["data:image/png;base64,AAAA", "file:///etc/passwd", "http://127.0.0.1:9/"]
    for schema in _schemas(document):
        fields = schema["properties"]
        if "messages" in fields:
            fields["model"] = {"const": "miniature"}
        if "url" in fields:
            fields["url"] = {"enum": visuals}
        if "visual" in fields:
            others = [one for one in fields["visual"]["anyOf"] if one.get("type") != "string"]
            fields["visual"] = {"anyOf": [{"enum": visuals}, *others]}
    return document


def _schemas(value: Any) -> Iterator[dict[str, Any]]:
    """Everything in it that describes an object."""
    if isinstance(value, dict) and isinstance(value.get("properties"), dict):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from _schemas(one)


def _statuses(address: str) -> dict[str, int]:
    with urllib.request.urlopen(f"{address}/metrics", timeout=30) as answer:
        lines = answer.read().decode()
    found: dict[str, int] = {}
    for status, number in re.findall(
        r'^flamingo_requests_total\{.*status="(\d+)"\} (.+)$', lines, re.MULTILINE
    ):
        found[status] = found.get(status, 0) + int(float(number))
    return found


def _got(address: str) -> dict[str, Any]:
    with urllib.request.urlopen(address, timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def total(statuses: Mapping[str, int]) -> int:
    """Of all requests."""
    return sum(statuses.values())
