"""The benchmarks compare what they say they compare; how fast it is is not tested."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from benchmarks import gpu_step
from benchmarks.contenders import BATCHES, CONTENDERS, SIZES
from benchmarks.measuring import peak_bytes
from benchmarks.training_step import Setup, main, measure, report, training_step
from flamingo.foundation.errors import ConfigError
from flamingo.presets.step_cost import BatchShape
from tests.tiny import tiny_flamingo

TINY = SIZES["tiny"]
ONCE = Setup(size="tiny", rounds=1, repeats=1)


def test_the_sides_are_of_one_size() -> None:
    ours, theirs = (measure(side, "pages", ONCE) for side in CONTENDERS)
    for what in ("num_parameters", "num_trained", "weight_bytes"):
        # Ours has biases in its norms where Idefics has none.
        assert ours[what] == pytest.approx(theirs[what], rel=0.01), what
    assert ours["peak_bytes_of_step"] > 0


@pytest.mark.parametrize("side", CONTENDERS)
def test_what_is_pretrained_is_frozen_and_the_rest_learns(side: str) -> None:
    contender = CONTENDERS[side](TINY, BATCHES["pages"])
    before = {name: value.clone() for name, value in contender.model.named_parameters()}
    step = training_step(contender)
    losses = [step() for _ in range(3)]
    assert losses[2] < losses[0]
    for name, value in contender.model.named_parameters():
        if not value.requires_grad:
            assert torch.equal(value, before[name]), name
    frozen = sum(value.numel() for value in before.values() if not value.requires_grad)
    assert frozen > 0.5 * sum(value.numel() for value in before.values())


def test_the_sides_read_the_same_batch() -> None:
    ours, theirs = (CONTENDERS[side](TINY, BATCHES["full"]) for side in CONTENDERS)
    assert torch.equal(ours.token_ids, theirs.token_ids)
    assert ours.logits().shape == theirs.logits().shape
    # An image begins its own part of the row, and each row has five.
    assert (ours.token_ids == TINY.vocabulary).sum(1).tolist() == list(BATCHES["full"])


def test_peak_bytes_are_those_that_are_there_at_once() -> None:
    def work() -> None:
        for _ in range(3):
            kept = torch.empty(1_000_000)
            torch.empty(2_000_000)
            del kept

    assert peak_bytes(work) == pytest.approx(12_000_000, rel=0.01)


def test_one_side_prints_a_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--side", "ours", "--size", "tiny", "--batch", "pages", "--repeats", "1"])
    assert json.loads(capsys.readouterr().out)["side"] == "ours"


@pytest.mark.slow
def test_the_whole_comparison(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "step.json"
    main(["--size", "tiny", "--rounds", "1", "--repeats", "1", "--json", str(file)])
    found = json.loads(file.read_text(encoding="utf-8"))
    assert found["batches"].keys() == BATCHES.keys()
    assert capsys.readouterr().out.strip() == report(found["batches"])


def test_the_gpus_step_on_a_cpu() -> None:
    shape = BatchShape("pages", rows=2, tokens=20, visuals=2)
    model = tiny_flamingo()
    found = gpu_step.measure(
        repeats=1, device="cpu", model=model, shape=shape, is_compiled=(False,)
    )
    (run,) = found["runs"]
    assert run["mfu"] is None
    assert run["peak_bytes"] == pytest.approx(found["planned_bytes"], rel=0.05)
    assert "MFU unknown" in gpu_step.report(found)
    frozen = [value for value in model.parameters() if not value.requires_grad]
    assert {value.dtype for value in frozen} == {torch.bfloat16}


def test_no_gpu_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="no CUDA device"):
        gpu_step.measure()
