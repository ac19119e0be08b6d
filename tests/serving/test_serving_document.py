"""What docs/serving.md says is so: its commands run, its tables are complete."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import urllib.request
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from flamingo.cli.main import main
from flamingo.serving.connections import Connection
from flamingo.serving.limits import Limits
from tests.house.repository import ROOT, code_blocks
from tests.serving.api.running import Running

TEXT = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8000"
UNITS = {"MiB": 2**20, "GiB": 2**30}

# A refusal ends the script, and the interpreter is the one that runs the tests.
PRELUDE = """set -eu -o pipefail
curl() {{ command curl --silent --show-error --fail-with-body "$@"; echo; }}
python() {{ {python} "$@"; }}
"""


SMALL = 'image.resize((64, 64)).save(f"{name}.png")'
LARGE = 'image.resize((900, 900)).save(f"{name}.png", compress_level=0)'


def own_blocks(*languages: str) -> list[str]:
    """Those that ask the server, which is running already."""
    return [block for block in code_blocks(TEXT, *languages) if ADDRESS in block]


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("bash")), reason="needs curl")
@pytest.mark.parametrize("drawing", ["as they are drawn", "of several MB"])
def test_the_commands_run_in_their_order(server: Running, tmp_path: Path, drawing: str) -> None:
    blocks = own_blocks("sh")
    assert len(blocks) >= 4
    script = PRELUDE.format(python=sys.executable) + "\n".join(blocks)
    if drawing == "of several MB":
        # Stored as they are, as large as photos of a phone.
        assert script.count(SMALL) == 1
        script = script.replace(SMALL, LARGE)
    done = subprocess.run(
        ["bash", "-c", script.replace(ADDRESS, server.url)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    size = (tmp_path / "new.png").stat().st_size
    assert size > 2**21 if drawing == "of several MB" else size < 2**11
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    kinds = [answer.get("object") or answer.get("status") for answer in answers]
    assert kinds.count("few_shot.answer") == 3
    # Made, taken again, deleted.
    assert kinds.count("few_shot.support_set") == 3
    assert {"chat.completion", "list", "ok"} <= set(kinds)
    assert [answer["deleted"] for answer in answers if "deleted" in answer] == [True, True]
    assert done.stdout.count("data: [DONE]") == 1
    assert "flamingo_build_info" in done.stdout
    assert json.loads((tmp_path / "shapes.json").read_text())["name"] == "shapes"


def test_the_python_example_answers(
    server: Running,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    drawing = re.search(r"<<'END'\n(.*?)^END$", TEXT, re.MULTILINE | re.DOTALL)
    assert drawing
    monkeypatch.chdir(tmp_path)
    exec(compile(drawing[1], "docs/serving.md", "exec"), {})
    [block] = own_blocks("python")
    names: dict[str, Any] = {}
    exec(compile(block.replace(ADDRESS, server.url), "docs/serving.md", "exec"), names)
    names["client"].close()
    assert re.fullmatch(r"blue square \d+\n", capsys.readouterr().out)


def test_the_table_of_limits_is_that_of_the_code() -> None:
    table = TEXT.partition("## Limits")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+)(?: (\w+))? \|", table, re.MULTILINE)
    told = {name: int(number.replace(",", "")) * UNITS.get(unit, 1) for name, number, unit in rows}
    assert told == asdict(Limits())


def test_the_bounds_of_connections_are_those_of_the_code() -> None:
    said = TEXT.partition("Some bounds are fixed.")[2].partition("\n## ")[0]
    assert f"There are {Connection.most} connections at the most" in said
    assert f"The head of a request has {Connection.head_seconds:.0f} s" in said
    assert f"nothing of its answer for {Connection.read_seconds:.0f} s is cut off" in said


def test_options_are_those_of_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    there = set(re.findall(r"--[a-z][\w-]*", capsys.readouterr().out))
    # Of the examples and of a benchmark.
    said = set(re.findall(r"`(--[a-z][\w-]*)", TEXT)) - {"--url", "--seed"}
    assert {"--host-name", "--limit", "--grace"} <= said <= there


def test_the_list_of_metrics_is_that_of_the_server(server: Running) -> None:
    with urllib.request.urlopen(f"{server.url}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    is_there = {line.split()[2] for line in lines if line.startswith("# HELP")}
    is_there = {name for name in is_there if not name.endswith("_created")}
    table = TEXT.partition("## Metrics")[2].partition("\n## ")[0]
    assert set(re.findall(r"`(flamingo_\w+)", table)) == is_there


def test_the_dockerfile_copies_what_the_builder_is_given() -> None:
    copied = re.findall(r"^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    kept = (ROOT / ".dockerignore").read_text().splitlines()
    assert names == {line.removeprefix("!") for line in kept if line.startswith("!")}
    assert all((ROOT / name).exists() for name in names)
