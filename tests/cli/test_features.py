from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from flamingo.cli import features, train
from flamingo.foundation.errors import ConfigError
from flamingo.training.reporting import read_log
from tests.presets.own_parts import BRIDGE, SHORT, own_parts, pages_tar, pairs_tar


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLAMINGO_CACHE", str(tmp_path / "cache"))


def run(verb: str, *words: str) -> int:
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers(dest="verb")
    features.add_parser(subparsers)
    train.add_parser(subparsers)
    module = {"features": features, "train": train}[verb]
    return module.run(parser.parse_args([verb, *words]))


def data(folder: Path) -> list[str]:
    return [
        "data.web.kind=pages",
        f"data.web.path={pages_tar(folder / 'pages.tar')}",
        "data.web.batch=2",
        "data.captions.kind=pairs",
        f"data.captions.path={pairs_tar(folder / 'pairs.tar')}",
        "data.captions.batch=2",
    ]


def test_a_run_trains_from_what_was_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["flamingo", *own_parts(tmp_path), *data(tmp_path), *BRIDGE, *SHORT]
    out = tmp_path / "features"
    assert run("features", *words, "--data", "web, captions", "--out", str(out)) == 0
    printed = capsys.readouterr().out
    assert "web: 4 samples with 8 visuals" in printed
    settings = [line.split("with ")[-1].replace("'", "") for line in printed.splitlines()]
    paths = [setting for setting in settings if setting.startswith("data.")]
    assert paths == [f"data.web.path={out}/web/*.tar", f"data.captions.path={out}/captions/*.tar"]
    assert run("train", *words, *paths, "--out", str(tmp_path / "run")) == 0
    losses = [line["loss"] for line in read_log(tmp_path / "run/log.jsonl") if "loss" in line]
    assert set(losses[-1]) == {"web", "captions"}
    assert (tmp_path / "run/model/config.json").is_file()


def test_a_trained_model_brings_its_encoder(tmp_path: Path) -> None:
    shard = pairs_tar(tmp_path / "pairs.tar", 2)
    words = ["--data", "a", "--out", str(tmp_path / "f"), "training.device=cpu"]
    assert run("features", "miniature", *words, "data.a.kind=pairs", f"data.a.path={shard}") == 0
    assert (tmp_path / "f/a/features.json").is_file()
    assert len(list((tmp_path / "f/a").glob("*.tar"))) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["flamingo", "--data", "web"], "no data set 'web'"),
        (["siglip-qwen", "--data", "pagse"], "no data set 'pagse'. Did you mean 'pages'"),
        (["siglip-qwen", "--data", "pages"], r"data\.pages\.path is not given"),
        (["miniature-vision", "--data", "a"], "has no data sets on disk"),
        (["flamingoo", "--data", "a"], "no recipe 'flamingoo'. Did you mean 'flamingo'"),
        (["flamingo", "--data", "a", "--frames-per-pass", "0"], "--frames-per-pass is 0"),
        (
            ["flamingo", "--data", "a", "data.a={kind: pairs, path: x}",
             "validation.a={kind: pairs, path: x}"],
            "in data and in validation",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(words: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        run("features", *words, "--out", str(tmp_path))
