"""`flamingo inspect preset NAME` prints our counts beside the paper's."""

from __future__ import annotations

import json
import re

import pytest

from flamingo.cli.main import main


def test_the_table_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "preset", "flamingo-9b"]) == 0
    printed = capsys.readouterr().out
    for line in (
        r"language model +7,110,660,096 +frozen +7\.1B +\+0\.2 %",
        r"vision encoder +435,286,116 +frozen +435M +\+0\.1 %",
        r"gated xattn-dense +1,610,809,360 +trainable +1\.6B +\+0\.7 %",
        r"resampler +193,631,232 +trainable +194M +-0\.2 %",
        r"total +9,356,686,452 +partly +9\.3B +\+0\.6 %",
    ):
        assert re.search(line, printed), f"{line}\nnot in\n{printed}"
    assert "40 language model layers" in printed


def test_a_preset_without_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "preset", "flamingo-3b"]) == 0
    assert "a gated layer before each one (24)" in capsys.readouterr().out


def test_the_object_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "preset", "flamingo-3b", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["preset"] == "flamingo-3b"
    *parts, total = printed["parts"]
    assert total["part"] == "total"
    assert total["parameters"] == sum(part["parameters"] for part in parts)
    assert total["trainable"] == sum(part["trainable"] for part in parts)
    assert total["paper"] == 3_200_000_000
    assert total["difference_percent"] == pytest.approx(100 * (total["parameters"] / 3.2e9 - 1))


def test_an_unknown_preset(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "preset", "flamingo-9"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("ConfigError: there is no model preset called 'flamingo-9'")
    assert "flamingo-80b" in error
    assert "Traceback" not in error
