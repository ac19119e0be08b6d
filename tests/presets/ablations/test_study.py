"""A whole ablation, with arms that cost nothing: what is done, what is not done again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flamingo.foundation.errors import CheckpointError, ConfigError, DataError
from flamingo.foundation.records import yaml_text
from flamingo.presets.ablations import report
from flamingo.presets.ablations.arms import Arm
from flamingo.presets.ablations.processes import Watch
from flamingo.presets.ablations.result import ArmResult
from flamingo.presets.ablations.rows import chosen_rows
from flamingo.presets.ablations.study import Study
from tests.presets.ablations.small_ablation import small_config

BEST_RATE = {"baseline": 1.0, "no-tanh-gate": 0.5}
TASK = "question-count"


class Toy:
    """In place of training: an arm is right more often the nearer its rate is to the best."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.failing: set[str] = set()
        self.failing_rates: set[float] = set()

    def __call__(self, arms: Sequence[Arm], num_processes: int, watch: Watch) -> dict[str, str]:
        failures = {}
        for arm in arms:
            watch.started(arm)
            self.done.append(str(arm))
            if arm.row in self.failing or arm.learning_rate in self.failing_rates:
                failures[str(arm)] = "it diverged"
                watch.failed(arm, "it diverged")
                continue
            write_recipe(arm, arm.recipe.resolved())
            self.result(arm).write(arm.folder)
            watch.finished(arm)
        return failures

    def result(self, arm: Arm) -> ArmResult:
        queries = 40
        is_best = arm.learning_rate == BEST_RATE.get(arm.row, 1.0)
        right = 10 + 20 * is_best - 5 * (arm.row == "no-tanh-gate") + arm.seed % 7
        return ArmResult(
            row=arm.row,
            seed=arm.seed,
            learning_rate=arm.learning_rate,
            right={} if arm.sweep is None else {TASK: "1" * right + "0" * (queries - right)},
            chance={TASK: 0.25},
            num_parameters=7_000_000,
            num_trained=3_000_000,
            seconds_per_step=0.5,
            seconds=1.0,
            metrics={"probe_color_held_out": 0.9},
        )


def write_recipe(arm: Arm, recipe: Mapping[str, Any]) -> None:
    arm.folder.mkdir(parents=True, exist_ok=True)
    (arm.folder / "recipe.yaml").write_text(yaml_text(recipe))


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Toy:
    toy = Toy()
    monkeypatch.setattr("flamingo.presets.ablations.study.carry_out_all", toy)
    # Drawing after every arm would take most of the time of these tests.
    monkeypatch.setattr(report, "plot_differences", lambda entries, target: None)
    return toy


def study(
    folder: Path,
    parts: dict[str, Path],
    rows: str = "no-tanh-gate",
    seeds: int = 1,
    **changed: object,
) -> Study:
    return Study(small_config(parts, **changed), folder, chosen_rows(rows), seeds, 1, "flamingo …")


def test_what_is_finished_is_not_done_again(
    toy: Toy, parts: dict[str, Path], tmp_path: Path
) -> None:
    study(tmp_path, parts).run()
    assert toy.done == ["baseline, seed 0", "no-tanh-gate, seed 0"]
    study(tmp_path, parts, seeds=2).run()
    assert toy.done[2:] == ["baseline, seed 1", "no-tanh-gate, seed 1"]
    entries = study(tmp_path, parts, rows="grafting", seeds=2).run()
    assert toy.done[4:] == ["grafting, seed 0", "grafting, seed 1"]
    # The table has what was asked before, too.
    assert [entry.row for entry in entries] == ["baseline", "no-tanh-gate", "grafting"]
    assert [len(entry.seeds) for entry in entries] == [2, 2, 2]
    entries = study(tmp_path, parts, rows="baseline").run()
    assert len(toy.done) == 6
    assert [entry.row for entry in entries] == ["baseline", "no-tanh-gate", "grafting"]
    assert json.loads((tmp_path / "table.json").read_text())["about"]["seeds"] == 2


def test_the_table_tells_everything_that_was_ever_asked(
    toy: Toy, parts: dict[str, Path], tmp_path: Path
) -> None:
    study(tmp_path, parts).run()
    study(tmp_path, parts, rows="grafting,vision-vit", seeds=2).run()
    entries = Study.in_folder(tmp_path).report()
    names = ["baseline", "no-tanh-gate", "grafting", "vision-brief", "vision-vit"]
    assert [entry.row for entry in entries] == names
    assert [len(entry.seeds) for entry in entries] == [2, 1, 2, 2, 2]
    table = json.loads((tmp_path / "table.json").read_text())
    assert [row["row"] for row in table["rows"]] == names
    about = table["about"]
    assert about["command"] == "flamingo …"
    assert {"date", "machine", "versions", "seeds", "config", "next_share"} <= about.keys()
    # Of an arm, not of the process that starts them.
    assert about["machine"]["threads_per_process"] == 1
    assert about["encoders"]["vision-vit"]["metrics"]["probe_color_held_out"] == 0.9
    text = (tmp_path / "table.md").read_text()
    assert "color 90 %" in text
    assert all(name in text for name in names)


def test_other_settings_are_refused(toy: Toy, parts: dict[str, Path], tmp_path: Path) -> None:
    study(tmp_path, parts).run()
    with pytest.raises(ConfigError, match=r"ablation\.queries was 2, is now 3"):
        study(tmp_path, parts, queries=3).run()
    assert len(toy.done) == 2


def test_a_recipe_that_has_changed_is_refused(
    toy: Toy, parts: dict[str, Path], tmp_path: Path
) -> None:
    first = study(tmp_path, parts)
    first.run()
    arm = first.arms.arm(first.rows[1], 0)
    write_recipe(arm, {**arm.recipe.resolved(), "data": {"pages": 99}})
    with pytest.raises(ConfigError, match=r"another recipe.*data\.pages"):
        study(tmp_path, parts).run()


def test_an_arm_that_fails_is_told_and_tried_again(
    toy: Toy, parts: dict[str, Path], tmp_path: Path
) -> None:
    toy.failing = {"no-tanh-gate"}
    one = study(tmp_path, parts)
    entries = one.run()
    assert one.failures == {"no-tanh-gate, seed 0": "it diverged"}
    assert entries[1].overall is None
    assert entries[1].direction is None
    assert "it diverged" in (tmp_path / "table.md").read_text()
    toy.failing = set()
    assert study(tmp_path, parts).run()[1].overall is not None


def test_a_row_whose_encoder_fails_is_not_trained(
    toy: Toy, parts: dict[str, Path], tmp_path: Path
) -> None:
    toy.failing = {"vision-vit"}
    study(tmp_path, parts, rows="vision-vit").run()
    assert toy.done == [
        "vision-brief, its encoder",
        "vision-vit, its encoder",
        "baseline, seed 0",
        "vision-brief, seed 0",
    ]


def test_a_row_whose_encoder_fails_is_not_tuned(
    toy: Toy, parts: dict[str, Path], tmp_path: Path
) -> None:
    toy.failing = {"vision-vit"}
    study(tmp_path, parts, rows="vision-vit", learning_rates=(0.5, 1.0)).run()
    assert [name for name in toy.done if "vision-vit" in name] == ["vision-vit, its encoder"]


def test_a_row_waits_for_all_of_its_trials(
    toy: Toy, parts: dict[str, Path], tmp_path: Path
) -> None:
    """What the missing one would have shown is not known: another rate may be the best."""
    rates = (0.5, 1.0, 2.0)
    toy.failing_rates = {0.5}
    one = study(tmp_path, parts, learning_rates=rates)
    assert [entry.overall for entry in one.run()] == [None, None]
    assert not [name for name in toy.done if "seed 0" in name]
    toy.failing_rates = set()
    entries = study(tmp_path, parts, learning_rates=rates).run()
    assert [entry.learning_rate_multiple for entry in entries] == [1.0, 0.5]
    assert all(entry.overall is not None for entry in entries)


def test_results_of_another_rate_are_not_told(
    toy: Toy, parts: dict[str, Path], tmp_path: Path
) -> None:
    one = study(tmp_path, parts)
    one.run()
    arm = one.arms.arm(one.rows[1], 0)
    replace(toy.result(arm), learning_rate=2.0).write(arm.folder)
    entries = Study.in_folder(tmp_path).report()
    assert [entry.seeds for entry in entries] == [(0,), ()]


@pytest.mark.parametrize("damage", ['{"row": "no-', "[]", '{"row": 3}'])
def test_damaged_files_are_told(
    toy: Toy, parts: dict[str, Path], tmp_path: Path, damage: str
) -> None:
    one = study(tmp_path, parts)
    one.run()
    result = one.arms.arm(one.rows[1], 0).folder / "result.json"
    for path in (result, tmp_path / "asked.json"):
        path.write_text(damage)
        with pytest.raises(DataError, match=rf"{path.name} is damaged: (.|\n)*\nRemove"):
            study(tmp_path, parts).run()
        with pytest.raises(DataError, match=rf"{path.name} is damaged"):
            Study.in_folder(tmp_path).report()


def test_every_row_takes_its_best_learning_rate(
    toy: Toy, parts: dict[str, Path], tmp_path: Path
) -> None:
    entries = study(tmp_path, parts, learning_rates=(0.5, 1.0, 2.0)).run()
    assert [entry.learning_rate_multiple for entry in entries] == [1.0, 0.5]
    assert toy.done[-2:] == ["baseline, seed 0", "no-tanh-gate, seed 0, learning rate × 0.5"]
    about = json.loads((tmp_path / "table.json").read_text())["about"]
    assert about["tuning"]["no-tanh-gate"].keys() == {"0.5", "1.0", "2.0"}
    before = len(toy.done)
    study(tmp_path, parts, learning_rates=(0.5, 1.0, 2.0)).run()
    assert len(toy.done) == before


def test_a_row_that_changes_nothing_shares_the_baselines_runs(
    toy: Toy, parts: dict[str, Path], tmp_path: Path
) -> None:
    share = study(tmp_path, parts).arms.arm(chosen_rows("baseline")[0], 0).recipe.config.data
    name = {0.0: "p-next-0", 0.5: "p-next-half", 1.0: "p-next-1"}[share.next_share]
    entries = study(tmp_path, parts, rows=name).run()
    assert toy.done == ["baseline, seed 0"]
    assert [entry.overall for entry in entries] == [entries[0].overall] * 2
    assert entries[1].difference is None


def test_a_folder_without_an_ablation_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no ablation"):
        Study.in_folder(tmp_path)


def test_a_part_that_is_not_there_is_told(toy: Toy, parts: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"--vision .*no config.json"):
        study(tmp_path, {**parts, "vision": tmp_path / "nowhere"}).run()
