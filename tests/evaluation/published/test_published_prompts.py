"""Prompts letter by letter as the authors of the released models wrote them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flamingo import Predictor
from flamingo.evaluation.benchmarks.task import BenchmarkTask
from flamingo.evaluation.published.families import as_published
from tests.evaluation.published.models_for_tests import MODELS, opened, prompt_of

METRICS = {"okvqa": "okvqa-accuracy"}
"""The published stemmer needs data of nltk."""
IMAGE = "<fake_token_around_image><image><fake_token_around_image>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("benchmarks")


@pytest.fixture(scope="module", params=MODELS)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def models() -> dict[str, Predictor]:
    return {name: make() for name, make in MODELS.items()}


def asked(predictor: Predictor, name: str, folder: Path) -> BenchmarkTask:
    return as_published(predictor, {name: opened(name, folder)}, METRICS)[1][name]


def captions(folder: Path) -> dict[str, list[str]]:
    content = json.loads((folder / "coco" / "dataset_coco.json").read_text())
    return {
        str(one["cocoid"]): [each["raw"] for each in one["sentences"]] for one in content["images"]
    }


def vqa(folder: Path, name: str, prefix: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for part in ("train2014", "val2014"):
        asked = (folder / name / f"{prefix}OpenEnded_mscoco_{part}_questions.json").read_text()
        answers = (folder / name / f"{prefix}mscoco_{part}_annotations.json").read_text()
        for one in json.loads(asked)["questions"] + json.loads(answers)["annotations"]:
            found.setdefault(str(one["question_id"]), {}).update(one)
    return found


@pytest.mark.parametrize("shots", [0, 4])
def test_open_flamingo_captions(folder: Path, models: dict[str, Predictor], shots: int) -> None:
    model = models["OpenFlamingo"]
    task = asked(model, "coco", folder)
    ids, known = task.build(0, 2, shots).support_ids, captions(folder)
    assert len(ids) == (shots or 2)
    image = "<image>" if shots else ""
    before = "".join(f"{image}Output:{known[one][0].strip()}<|endofchunk|>\n" for one in ids)
    assert prompt_of(model, task, 2, shots) == f"{before}<image>Output:"


@pytest.mark.parametrize("shots", [0, 4])
@pytest.mark.parametrize(("name", "prefix"), [("vqav2", "v2_"), ("okvqa", "")])
def test_open_flamingo_questions(
    folder: Path, models: dict[str, Predictor], name: str, prefix: str, shots: int
) -> None:
    model = models["OpenFlamingo"]
    task = asked(model, name, folder)
    episode, known = task.build(0, 1, shots), vqa(folder, name, prefix)
    image = "<image>" if shots else ""
    before = "".join(
        f"{image}Question:{known[one]['question']} "
        f"Short answer:{known[one]['answers'][0]['answer']}<|endofchunk|>\n"
        for one in episode.support_ids
    )
    query = f"<image>Question:{known[episode.query_id]['question']} Short answer:"
    assert prompt_of(model, task, 1, shots) == before + query


@pytest.mark.parametrize("shots", [0, 4])
def test_open_flamingo_memes(folder: Path, models: dict[str, Predictor], shots: int) -> None:
    model = models["OpenFlamingo"]
    task = asked(model, "hateful-memes", folder)
    lines = [
        json.loads(line)
        for part in ("train", "test_seen")
        for line in (folder / "hateful-memes" / f"{part}.jsonl").read_text().splitlines()
    ]
    known = {Path(line["img"]).stem: line for line in lines}
    image = "<image>" if shots else ""

    def written(one: str) -> str:
        return f"is an image with: '{known[one]['text']}' written on it. Is it hateful? Answer:"

    episode = task.build(0, 3, shots)
    before = "".join(
        f"{image}{written(one)}{('no', 'yes')[known[one]['label']]}<|endofchunk|>"
        for one in episode.support_ids
    )
    assert len(episode.support_ids) == (shots or 2)
    assert prompt_of(model, task, 3, shots) == f"{before}<image>{written(episode.query_id)}"


@pytest.mark.parametrize("shots", [0, 4])
def test_idefics_captions(folder: Path, models: dict[str, Predictor], shots: int) -> None:
    model = models["IDEFICS"]
    task = asked(model, "coco", folder)
    episode, known = task.build(0, 2, shots), captions(folder)
    shown = [one.fields["output"] for one in episode.supports]
    assert all(one in known[i] for one, i in zip(shown, episode.support_ids, strict=True))
    image = IMAGE if shots else ""
    before = "".join(f"Image:{image}Caption: {one}\n" for one in shown)
    assert prompt_of(model, task, 2, shots) == f"<s>{before}Image:{IMAGE}Caption:"


@pytest.mark.parametrize("shots", [0, 4])
def test_idefics_questions(folder: Path, models: dict[str, Predictor], shots: int) -> None:
    model = models["IDEFICS"]
    task = asked(model, "okvqa", folder)
    episode, known = task.build(0, 1, shots), vqa(folder, "okvqa", "")
    image = IMAGE if shots else ""
    before = "".join(
        f"Image:{image}Question: {known[one]['question']} "
        # The answers of each drawn question are nine times its first one.
        f"Answer: {known[one]['answers'][0]['raw_answer']}\n"
        for one in episode.support_ids
    )
    assert prompt_of(model, task, 1, shots) == (
        "<s>Instruction: provide an answer to the question. Use the image to answer.\n"
        f"{before}Image:{IMAGE}Question: {known[episode.query_id]['question']} Answer:"
    )
    raw = tuple(one["raw_answer"] for one in known[episode.query_id]["answers"])
    assert episode.references == raw


def test_idefics_says_what_cannot_be_answered(folder: Path, models: dict[str, Predictor]) -> None:
    model = models["IDEFICS"]
    text = prompt_of(model, asked(model, "vizwiz", folder), 0, 0)
    assert text.startswith(
        "<s>Task: Answer the questions based on the image when possible, otherwise say "
        "unanswerable.\nImage:Question: What color is this? Answer: "
    )


def test_idefics_shows_the_same_examples_to_all_without_shots(
    folder: Path, models: dict[str, Predictor]
) -> None:
    task = asked(models["IDEFICS"], "okvqa", folder)
    first = {task.build(seed, index, 0).support_ids for seed in (0, 1) for index in (0, 3)}
    assert first == {tuple(one.id for one in task.subsets.supports[:2])}


def test_the_instructed_idefics(folder: Path, models: dict[str, Predictor]) -> None:
    model = models["IDEFICS instruct"]
    end = "<end_of_utterance>\n"
    task = asked(model, "coco", folder)
    (shown,) = (one.fields["output"] for one in task.build(0, 2, 1).supports)
    turn = f"User:{IMAGE}Describe the image briefly.{end}Assistant:"
    assert prompt_of(model, task, 2, 1) == f"<s>{turn} {shown}{end}{turn}"
    task = asked(model, "hateful-memes", folder)
    assert task.build(0, 0, 0).supports == ()
    text = prompt_of(model, task, 0, 1)
    assert text.startswith("<s>The user sends memes with text written on them, and the assistant ")
    assert text.count(f"Is it hateful?{end}Assistant:") == 2
    (support,) = task.build(0, 0, 1).supports
    assert f"Assistant: {support.fields['answer']}{end}User:{IMAGE}is an image" in text
    assert support.fields["answer"] in ("yes.", "no.")


def test_the_fault_of_open_flamingo_is_kept_and_is_not_ours(
    folder: Path, models: dict[str, Predictor]
) -> None:
    """Without shots, the one tag stands for the picture of the first example."""
    own = opened("hateful-memes", folder)
    theirs = asked(models["OpenFlamingo"], "hateful-memes", folder)
    for index in range(6):
        episode = theirs.build(0, index, 0)
        supports = {one.id: one for one in own.subsets.supports}
        shown = own.load(supports[episode.support_ids[0]].media[0])
        (seen,) = theirs.prompt(episode).visuals
        assert seen.fingerprint() == shown.fingerprint()
        (honest,) = own.prompt(own.build(0, index, 0)).visuals
        query = own.load(own.subsets.queries[index].media[0])
        assert honest.fingerprint() == query.fingerprint()
        with_shots = theirs.prompt(theirs.build(0, index, 1)).visuals
        assert [one.fingerprint() for one in with_shots] == [
            own.load(supports[theirs.build(0, index, 1).support_ids[0]].media[0]).fingerprint(),
            query.fingerprint(),
        ]
