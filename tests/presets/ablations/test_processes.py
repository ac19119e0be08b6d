"""Arms in processes: the failure of one is told, and the others go on."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from flamingo.foundation.errors import ConfigError
from flamingo.presets.ablations.arms import Arm
from flamingo.presets.ablations.processes import OUTPUT, Watch, carry_out_all
from flamingo.presets.training.miniature_flamingo import RECIPE


def toy_work(arm: Arm) -> bool:
    print(f"this is {arm.row}")
    if arm.row == "refused":
        raise ConfigError("no such thing.")
    (arm.folder / "done").write_text(str(os.getpid()))
    return True


class Notes(Watch):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def started(self, arm: Arm) -> None:
        self.lines.append(f"started {arm.row}")

    def finished(self, arm: Arm) -> None:
        self.lines.append(f"finished {arm.row}")

    def failed(self, arm: Arm, reason: str) -> None:
        self.lines.append(f"failed {arm.row}")


@pytest.mark.slow  # starts Python twice more; tests/cli/test_ablate.py does it once
def test_every_arm_is_carried_out_in_a_process_of_its_own(tmp_path: Path) -> None:
    one = Arm("fine", 0, 1.0, tmp_path / "fine", RECIPE)
    names = ("refused", "fine")
    arms = [replace(one, row=name, folder=tmp_path / name) for name in names]
    notes = Notes()
    failures = carry_out_all(arms, 2, notes, toy_work)
    reasons = {name.split(",")[0]: reason for name, reason in failures.items()}
    assert reasons == {"refused": "ConfigError: no such thing."}
    assert (tmp_path / "fine" / "done").read_text() != str(os.getpid())
    assert "this is fine" in (tmp_path / "fine" / OUTPUT).read_text()
    assert sorted(notes.lines) == sorted(
        [*(f"started {name}" for name in names), "finished fine"]
        + [f"failed {name}" for name in names[:1]]
    )


class Process(BaseProcess):
    """One that was never started."""

    sentinel, ended, exitcode = 0, False, None

    def __init__(self, exitcode: int | None) -> None:
        self.exitcode = exitcode

    def terminate(self) -> None:
        self.ended = True

    def join(self, timeout: float | None = None) -> None: ...

    def is_alive(self) -> bool:
        return False


def pretend(process: Process, ready: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    module = "flamingo.presets.ablations.processes"
    monkeypatch.setattr(f"{module}._start", lambda arm, work: process)
    monkeypatch.setattr(f"{module}.wait", lambda sentinels, timeout: ready)


def test_a_process_that_was_killed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(Process(exitcode=-9), [0], monkeypatch)
    arm = Arm("killed", 0, 1.0, tmp_path, RECIPE)
    (reason,) = carry_out_all([arm], 1, Watch(), toy_work).values()
    assert "exit code -9" in reason


def test_an_interrupt_ends_the_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupting(Watch):
        def running(self, arms: object) -> None:
            raise KeyboardInterrupt

    check_ended(Interrupting(), tmp_path, monkeypatch)


def test_sigterm_ends_the_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminating(Watch):
        def running(self, arms: object) -> None:
            # Not the handler that would end this process: the tests would end with it.
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
            signal.raise_signal(signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    check_ended(Terminating(), tmp_path, monkeypatch)
    assert signal.getsignal(signal.SIGTERM) == before


def check_ended(watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = Process(exitcode=None)
    pretend(process, [], monkeypatch)
    arm = Arm("fine", 0, 1.0, tmp_path, RECIPE)
    with pytest.raises(KeyboardInterrupt):
        carry_out_all([arm], 1, watch, toy_work)
    assert process.ended
