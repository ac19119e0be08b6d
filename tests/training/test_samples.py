from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from flamingo.training.reporting import read_log
from flamingo.training.samples import watch_samples
from tests.tiny import IMAGE
from tests.training.flamingo_run import CONFIG, Pages, trainer


def decode(ids: list[int]) -> str:
    return " ".join(map(str, ids))


def test_samples_stand_in_the_log_and_change_nothing(tmp_path: Path) -> None:
    held = Pages("held", seed=2)
    probe = watch_samples([held], decode, every=3, rows=3, max_new_tokens=4)
    looking = trainer(tmp_path / "a", CONFIG, on_step=[probe])
    looking.fit()
    blind = trainer(tmp_path / "b", replace(CONFIG))
    blind.fit()
    for name, value in looking.model.state_dict().items():
        assert torch.equal(value, blind.model.state_dict()[name]), name

    samples = [r for r in read_log(tmp_path / "a/log.jsonl") if r.get("event") == "sample"]
    assert {sample["step"] for sample in samples} == {3, 6}
    row = held.batch(0).input_ids[0]
    start = row.tolist().index(IMAGE) + 1
    first = next(sample for sample in samples if sample["name"] == "held 0")
    truth, written = first["written"].split(" → ")
    assert truth == decode(row[start : start + 4].tolist())
    assert 1 <= len(written.split()) <= 4
