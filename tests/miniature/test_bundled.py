"""The weights that come with the package do what their card says, in small."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flamingo import Predictor
from flamingo.cli.main import main
from flamingo.miniature import showcase
from flamingo.miniature.tasks import task_named
from tests.evaluation.cells_for_tests import answers


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor.from_pretrained("miniature", device="cpu")


# Far below the card's scores, far above chance: 20 queries vary.
@pytest.mark.parametrize(
    ("task", "at_least"), [("caption", 60), ("new-word-2", 80), ("question-count", 60)]
)
def test_it_learns_from_its_prompt(predictor: Predictor, task: str, at_least: float) -> None:
    found = answers(predictor, task_named(task), num_shots=4, num_queries=20, seed=7)
    assert 100 * sum(one.is_right for one in found) / len(found) >= at_least


def test_without_shots_it_cannot_know_a_new_word(predictor: Predictor) -> None:
    found = answers(predictor, task_named("new-word-5"), num_shots=0, num_queries=40, seed=7)
    assert sum(one.is_right for one in found) < 24


def test_the_demo_writes_one_self_contained_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shorter = [replace(scenario, queries=1) for scenario in showcase.SCENARIOS]
    monkeypatch.setattr(showcase, "SCENARIOS", shorter)
    assert main(["demo", "--out", str(tmp_path / "demo.html")]) == 0
    page = (tmp_path / "demo.html").read_text()
    assert str(tmp_path / "demo.html") in capsys.readouterr().out
    assert 'src="http' not in page
    assert "href=" not in page
    assert page.count("where it looks") == len(shorter)
    assert "data:image/gif" in page
