"""Every command in the README exists, with these arguments; its Python runs."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flamingo.cli.main import build_parser
from flamingo.presets.training import recipe_names
from tests.house.repository import ROOT, code_blocks, make_targets

README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> list[str]:
    """The command lines of all shell blocks, without comments, continued lines joined."""
    blocks = code_blocks(README, "sh", "bash", "shell", "console")
    joined = "\n".join(blocks).replace("\\\n", " ")
    lines = (shlex.split(line, comments=True) for line in joined.splitlines())
    return [shlex.join(line) for line in lines if line]


def test_the_two_commands_stand_near_the_top() -> None:
    top = README.splitlines()[:20]
    assert any("make demo" in line for line in top)
    assert any("make test" in line for line in top)


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= 150


@pytest.mark.parametrize("command", commands())
def test_a_command_exists(command: str) -> None:
    program, *arguments = shlex.split(command)
    if program == "torchrun":
        program, *arguments = arguments[arguments.index("--no-python") + 1 :]
    if program == "make":
        assert set(arguments) <= make_targets()
    elif program == "flamingo":
        args = build_parser().parse_args(arguments)
        is_file = args.verb == "train" and args.recipe.endswith(".yaml")
        assert args.verb != "train" or is_file or args.recipe in recipe_names()
    elif (program, arguments[0]) == ("pip", "install"):
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
            "optional-dependencies"
        ]
        for named in re.findall(r"\[([\w,]+)\]", command):
            assert set(named.split(",")) <= set(extras)
    else:
        assert program in {"git", "cd"}, f"no test knows how to check {command!r}"


def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = code_blocks(README, "python")
    assert blocks
    monkeypatch.chdir(tmp_path)
    for block in blocks:
        for name in re.findall(r'"([\w-]+\.png)"', block):
            Image.fromarray(np.full((64, 64, 3), 128, np.uint8)).save(tmp_path / name)
        exec(compile(block, "README.md", "exec"), {})
