"""`flamingo plan`: the tables, the verdict, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from flamingo.cli.main import main
from flamingo.cli.plan import as_json, as_text, batch_shape
from flamingo.foundation.errors import ConfigError
from flamingo.presets.memory_plan import GIB, Item
from flamingo.presets.plan import PAPER_BATCHES, Plan
from flamingo.presets.plan_settings import Machine, RunSettings
from flamingo.presets.step_cost import BatchShape, StepCost
from flamingo.presets.step_meter import Flops

PLAN = Plan(
    machine=Machine(8, 80.0, 989e12),
    settings=RunSettings(micro_batches=2, activation_checkpointing=True),
    batches=PAPER_BATCHES,
    constant=(Item("trained weights, fp32", 20 * GIB), Item("reserve", 5 * GIB)),
    working=(Item("logits and loss", 3 * GIB),),
    heaviest="M3W",
    flops={"vision encoder": Flops(4 * 10**14), "language model": Flops(10**14, 10**14, 10**14)},
    seconds_per_update=0.5,
)
MACHINE = ["--gpus", "1", "--gpu-memory", "40", "--gpu", "a100"]


def plan_of_the_3b(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    batch = ["--batch", "pairs=2x16", "--steps", "10", "--mfu", "0.5"]
    assert main(["plan", "flamingo-3b", *MACHINE, *batch, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    sizes = {item["name"]: item["num_bytes"] for item in (*found["constant"], *found["working"])}
    return {**found, "sizes": sizes}


def test_a_model_of_the_paper(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The step itself has tests of its own, on models that are quicker to run.
    cost = StepCost(2, {"all": Flops(10**12, 2 * 10**12)}, 10**9, {"activations": 10**9})
    monkeypatch.setattr("flamingo.presets.plan.step_cost", lambda *args, **options: cost)
    found = plan_of_the_3b(capsys)
    sizes = found["sizes"]
    assert found["preset"] == "flamingo-3b"
    assert found["fits"] is True
    assert found["settings"]["micro_batches"] == 1
    assert sum(sizes.values()) == found["bytes"]
    # 1.4 billion frozen parameters in bf16, 1.4 billion trained ones with their two moments.
    assert sizes["language model, frozen"] == pytest.approx(2 * 1.375e9, rel=0.01)
    assert sizes["AdamW's two moments, fp32"] == 2 * sizes["trained weights, fp32"]
    assert found["seconds_per_update"] == pytest.approx(3e12 / (0.5 * 312e12))
    assert found["tokens_per_second"] == pytest.approx(32 / found["seconds_per_update"])
    assert found["days"] == pytest.approx(10 * found["seconds_per_update"] / 86_400)


@pytest.mark.slow
def test_a_step_of_the_3b(capsys: pytest.CaptureFixture[str]) -> None:
    found = plan_of_the_3b(capsys)
    # An NFNet-F6 makes 377 billion multiplications and additions at 576 pixels, so at 320:
    images = 2 * 2 * 377e9 * (320 / 576) ** 2
    assert found["flops"]["vision encoder"]["forward"] == pytest.approx(images, rel=0.05)
    # Two operations per parameter and token forward, and two backward: its weights are frozen.
    text = 2 * 32 * 24 * 13 * 2048**2
    assert found["flops"]["language model"]["forward"] == pytest.approx(text, rel=0.02)
    assert found["flops"]["language model"]["backward"] == pytest.approx(text, rel=0.02)


def test_the_tables_say_where_bytes_and_operations_go() -> None:
    lines = as_text("flamingo-3b", PLAN).splitlines()
    text = " ".join(lines)
    assert lines[0].startswith("flamingo-3b on 8 x 80 GiB, bf16, parallel=replicate")
    assert "VTP 64 x 64 tokens x 1 visual of 8 frames" in lines[1]
    for name, number in (
        ("trained weights, fp32", "20.00"),
        ("total, of 80", "28.00"),
        ("vision encoder", "400.0 - -"),
        ("language model", "100.0 100.0 100.0"),
    ):
        (line,) = [line for line in lines if line.startswith(name)]
        assert " ".join(line.split()).endswith(f" {number}"), line
    assert "0.50 s per update, 270,336 tokens/s, 5,632 images/s, 2.9 days" in text
    assert lines[-1] == "Fits, with 52.0 GiB to spare."


def test_the_verdict_of_what_does_not_fit() -> None:
    small = replace(PLAN, machine=Machine(1, 24.0, 1e12), advice="It fits with micro_batches=8.")
    verdict = as_text("flamingo-3b", small).splitlines()[-1]
    assert verdict == "Does not fit: 4.0 GiB too much. It fits with micro_batches=8."
    assert json.loads(as_json("flamingo-3b", small))["fits"] is False


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("M3W=256x256x5", BatchShape("M3W", 256, 256, visuals=5)),
        ("pairs=8x64", BatchShape("pairs", 8, 64)),
        ("clips=4x64x1x8", BatchShape("clips", 4, 64, frames=8)),
        ("text=4x2048x0", BatchShape("text", 4, 2048, visuals=0)),
    ],
)
def test_batches_are_read(text: str, shape: BatchShape) -> None:
    assert batch_shape(text) == shape


@pytest.mark.parametrize("text", ["8x64", "a=8", "a=0x64", "a=8x64x1x0", "a=8x64x1x8x1", "a=bx64"])
def test_other_batches_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="NAME=ROWSxTOKENS"):
        batch_shape(text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["flamingo-3", *MACHINE], "Did you mean 'flamingo-3b'"),
        (["flamingo-3b", *MACHINE[:-1], "a1000"], "Did you mean 'a100'"),
        (["flamingo-3b", *MACHINE, "--mfu", "40"], "not 40.0"),
        (["flamingo-3b", *MACHINE, "--batch", "M3W"], "--batch M3W is not a batch"),
    ],
)
def test_wrong_input_is_a_message(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", *arguments]) == 2
    assert message in capsys.readouterr().err
