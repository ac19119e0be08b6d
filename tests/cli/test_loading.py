"""The options that say how a model is loaded, as every verb has them."""

from __future__ import annotations

import argparse

import pytest
import torch

from flamingo.cli.loading import DTYPE_NAMES, Loading, add_loading_options, add_number_options
from flamingo.cli.main import build_parser
from flamingo.foundation import devices


def test_every_name_is_a_number_format() -> None:
    assert DTYPE_NAMES == devices.DTYPE_NAMES
    for name in DTYPE_NAMES:
        assert isinstance(devices.dtype_for(name, torch.device("cpu")), torch.dtype)


def test_the_defaults_are_those_of_loading() -> None:
    parser = argparse.ArgumentParser()
    add_loading_options(parser)
    assert Loading.of(parser.parse_args([])) == Loading()


def test_a_group_has_the_same_number_options() -> None:
    parser = argparse.ArgumentParser()
    add_number_options(parser.add_argument_group("how it is computed"), "steady")
    assert vars(parser.parse_args(["--int8"])) == {"dtype": "steady", "int8": True}


@pytest.mark.parametrize("verb", ["prompt", "evaluate"])
def test_the_visual_cache_is_called_a_folder(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build_parser().parse_args([verb, "--help"])
    assert "--visual-cache FOLDER" in capsys.readouterr().out
