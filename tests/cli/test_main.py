"""The command line as a whole: help, version, exit codes."""

from __future__ import annotations

import argparse
from importlib import metadata
from pathlib import Path

import pytest

from flamingo.cli import main as command
from flamingo.cli.main import main
from flamingo.foundation.errors import MediaError


def test_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--help"])
    assert exit_.value.code == 0
    printed = capsys.readouterr().out
    assert all(verb in printed for verb in command.VERBS)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out.strip() == f"flamingo {metadata.version('flamingo-vlm')}"


def test_a_wrong_verb_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["inspekt"])
    assert exit_.value.code == 2
    assert "inspect" in capsys.readouterr().err


class FailingVerb:
    """A verb whose run raises what it is given."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def add_parser(self, subparsers: argparse._SubParsersAction) -> None:
        subparsers.add_parser("fail")

    def run(self, args: argparse.Namespace) -> int:
        raise self.error


def test_our_errors_are_messages_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = MediaError("cat.png is not a picture.")
    monkeypatch.setattr(command, "VERBS", {"fail": FailingVerb(error)})
    assert main(["fail"]) == 2
    printed = capsys.readouterr()
    assert printed.err == "MediaError: cat.png is not a picture.\n"
    assert printed.out == ""


def test_an_interrupt_has_its_own_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "VERBS", {"fail": FailingVerb(KeyboardInterrupt())})
    assert main(["fail"]) == 130
    assert capsys.readouterr().err == "Interrupted.\n"
    monkeypatch.setattr(command, "_GO_ON", ("fail",))
    assert main(["fail"]) == 130
    assert capsys.readouterr().err == "Interrupted. The same command goes on from there.\n"


@pytest.mark.parametrize("error", [ZeroDivisionError(), OSError("no file is named")])
def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(command, "VERBS", {"fail": FailingVerb(error)})
    with pytest.raises(type(error)):
        main(["fail"])


def test_a_file_in_the_way_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine")
    asked = ["evaluate", "miniature", "--tasks=new-word-2", "--shots=0", "--queries=1"]
    for out, kind in ((taken, "FileExistsError"), (taken / "below", "NotADirectoryError")):
        assert main([*asked, f"--out={out}"]) == 2
        said = capsys.readouterr().err
        assert f"{kind}: " in said
        assert str(taken) in said
        assert "hoose another place" in said
    assert taken.read_text() == "mine"
