"""The trace is one that viewers read, and the operations are all of the time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flamingo.inference.costliest_operations import profile_answer
from flamingo.inference.speed_task import SpeedTask
from tests.tiny import tiny_flamingo


def test_an_answer_is_traced(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    operations = profile_answer(tiny_flamingo(), SpeedTask(1), path)
    assert json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
    assert sum(one.share for one in operations) == pytest.approx(1)
    seconds = [one.seconds for one in operations]
    assert sorted(seconds, reverse=True) == seconds
    assert any(one.name == "aten::mm" and one.calls for one in operations)
