"""`flamingo report` as it is typed."""

from __future__ import annotations

import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from flamingo.cli.main import main
from flamingo.foundation.errors import DataError
from flamingo.miniature import tasks
from flamingo.miniature.few_shot_episodes import FewShotEpisode
from tests.evaluation.benchmarks.image_folders import make_vqav2
from tests.evaluation.benchmarks.video_folders import make_rareact

TASKS = ("new-word-2", "clip-motion")
PICTURES = ("curves.png", "means.png", "gates.png", "attention.png", "world.png")


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scores")
    options = ["--shots=0,2", "--queries=2", "--controls=none,blank", "--processes=1"]
    tasks = f"--tasks={','.join(TASKS)}"
    assert main(["evaluate", "miniature", tasks, *options, f"--out={folder}"]) == 0
    return folder


def copy_of(evaluated: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(evaluated, tmp_path / "copy"))


def test_pictures_and_page_are_written(
    evaluated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(path.name for path in evaluated.iterdir())
    assert main(["report", str(evaluated), "--out", str(tmp_path)]) == 0
    names = (*PICTURES, "predictions.html", "report.html")
    written = [tmp_path / name for name in names]
    assert capsys.readouterr().out.split() == [str(path) for path in written]
    assert sorted(path.name for path in evaluated.iterdir()) == before
    for name in PICTURES:
        with Image.open(tmp_path / name) as picture:
            picture.verify()
            assert picture.format == "PNG"
    html = (tmp_path / "report.html").read_text()
    for text in (*TASKS, "shots", "blank", "flamingo evaluate miniature --tasks=new-word-2"):
        assert text in html
    assert all(name.startswith("data:") for name in re.findall(r'src="([^"]*)"', html))


def test_tasks_whose_pictures_are_not_installed_are_left_out(
    evaluated: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def not_installed(seed: int, index: int, num_shots: int) -> FewShotEpisode:
        raise DataError("the pictures are not installed.")

    # One that was evaluated, and one that was not.
    for name in (TASKS[0], "digits-2"):
        monkeypatch.setitem(tasks.TASKS, name, replace(tasks.TASKS[name], build=not_installed))
    assert main(["report", str(evaluated), "--out", str(tmp_path)]) == 0
    note = f"Without pictures: {TASKS[0]}, digits-2, as the pictures are not installed."
    said = capsys.readouterr().out
    assert f"Note: {note}" in said
    assert "no task draws the same ones" not in said
    assert (tmp_path / "world.png").exists()
    html = (tmp_path / "report.html").read_text()
    assert note in html
    assert "digits-5" in html


def log_of_a_run(folder: Path) -> Path:
    gates = {f"gates/gated_xattn_dense.0.{kind}": 0.1 for kind in ("alpha_xattn", "alpha_dense")}
    lines = [{"step": step, "loss": {"pages": 1.0}, "metrics": gates} for step in (1, 2)]
    folder.mkdir()
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_what_cannot_be_drawn_again_is_told(
    evaluated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copy_of(evaluated, tmp_path)
    settings = json.loads((folder / "settings.json").read_text())
    settings["episodes"] = dict.fromkeys(settings["episodes"], "others")
    settings["model_sha256"] = "0" * 64
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "attention.png").write_text("of an earlier report")
    run = log_of_a_run(tmp_path / "run")
    assert main(["report", str(folder), "--run", str(run)]) == 0
    said = capsys.readouterr().out
    assert "Note: Without pictures" in said
    assert "weights that are not those that were evaluated" in said
    assert not (folder / "attention.png").exists()
    html = (folder / "report.html").read_text()
    assert "Without pictures" in html
    assert "The gates over training" in html
    assert str(run) in html


def test_what_cannot_be_is_told(
    evaluated: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert main(["report", str(tmp_path / "nowhere")]) == 2
    assert "flamingo evaluate MODEL --out" in capsys.readouterr().err
    folder = copy_of(evaluated, tmp_path)
    assert main(["report", str(folder), "--model", "no-such-folder/x/y"]) == 2
    assert "no-such-folder/x/y" in capsys.readouterr().err
    assert main(["report", str(folder), "--run", str(tmp_path)]) == 2
    assert f"There is no {tmp_path}/log.jsonl" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main(["report", str(folder)]) == 2
    assert "flamingo-vlm[track]" in capsys.readouterr().err


def records(page: Path) -> list[dict[str, object]]:
    (data,) = re.findall(
        r'<script type="application/json" id="data">(.*?)</script>', page.read_text()
    )
    found: list[dict[str, object]] = json.loads(data)["records"]
    return found


def evaluate_files(folder: Path, out: Path, *options: str) -> int:
    given = [f"--tasks={folder.name}", f"--data={folder.parent}", "--shots=0", f"--out={out}"]
    return main(["evaluate", "miniature", *given, *options])


def test_clips_without_the_action_are_shown_and_scored(tmp_path: Path) -> None:
    folder, out = tmp_path / "rareact", tmp_path / "out"
    folder.mkdir()
    make_rareact(folder)
    assert evaluate_files(folder, out, "--frames=2") == 0
    assert main(["report", str(out)]) == 0
    found = records(out / "predictions.html")
    assert len(found) == 6
    assert sum(not one["references"] for one in found) == 3
    assert all(one["value"] is not None for one in found)
    assert "Some queries of rareact have no right answer" in (out / "predictions.html").read_text()
    assert "of 3 right to the letter with 0 shots" in (out / "report.html").read_text()


def test_answers_of_which_the_right_ones_are_hidden_can_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "vqav2", tmp_path / "out"
    folder.mkdir()
    make_vqav2(folder)
    assert evaluate_files(folder, out, "--part=vqav2=test-dev") == 0
    capsys.readouterr()
    assert main(["report", str(out)]) == 0
    said = capsys.readouterr().out
    assert "Note: There are only the answers, as there is no score yet" in said
    assert said.splitlines()[-1] == str(out / "predictions.html")
    found = records(out / "predictions.html")
    assert [one["value"] for one in found] == [None] * 3
    assert all(one["pictures"] for one in found)
    assert "3 of 3 answers to vqav2 are not scored" in (out / "predictions.html").read_text()
