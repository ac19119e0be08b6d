"""Search, ranking and reading of answers by the published protocols, and whom they are for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from flamingo import Predictor
from flamingo.evaluation.benchmarks.registry import BENCHMARKS
from flamingo.evaluation.metrics.registry import METRICS
from flamingo.evaluation.published.families import as_published, check_published, family_of
from flamingo.evaluation.published.idefics import IDEFICS, IDEFICS_INSTRUCT
from flamingo.evaluation.published.open_flamingo import OPEN_FLAMINGO
from flamingo.evaluation.published.protocol import Family
from flamingo.evaluation.published.published_predictor import PublishedPredictor
from flamingo.evaluation.runner import ask
from flamingo.foundation.errors import ConfigError
from tests.evaluation.published.models_for_tests import MODELS, opened
from tests.tiny_predictor import tiny_predictor

FAMILIES = {one.name: one for one in (OPEN_FLAMINGO, IDEFICS, IDEFICS_INSTRUCT)}


@pytest.fixture(scope="module")
def models() -> dict[str, PublishedPredictor]:
    return {n: PublishedPredictor(make(), FAMILIES[n]) for n, make in MODELS.items()}


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_is_known_by_its_processor(
    name: str, models: dict[str, PublishedPredictor], tmp_path: Path
) -> None:
    processor = models[name].processor
    assert family_of(processor) is FAMILIES[name]
    processor.save_pretrained(tmp_path)
    assert family_of(type(processor).from_pretrained(tmp_path)) is FAMILIES[name]


def test_other_models_have_no_published_protocol() -> None:
    with pytest.raises(ConfigError, match="no published protocol for this model"):
        family_of(tiny_predictor().processor)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_what_was_not_published_is_refused_by_name(family: Family) -> None:
    check_published(tuple(family.benchmarks), family)
    with pytest.raises(ConfigError, match=r"no published protocol.* for vatex, imagenet") as told:
        check_published(("coco", "vatex", "imagenet"), family)
    assert "There is one for coco, flickr30k" in str(told.value)
    with pytest.raises(ConfigError, match="for new-word-2"):
        check_published(("new-word-2",))


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_a_protocol_fits_its_benchmark(family: Family) -> None:
    for name, how in family.benchmarks.items():
        usual = BENCHMARKS[name]
        assert {*how.template.fields} == {*usual.template.fields}
        assert how.template.answer == usual.template.answer
        assert how.metric in METRICS
        assert bool(how.max_new_tokens) == bool(usual.max_new_tokens)


@pytest.mark.parametrize(
    ("family", "name", "written", "read"),
    [
        ("OpenFlamingo", "coco", 'a "red" cat Output:a dog', "a red cat"),
        ("OpenFlamingo", "coco", "Question marks, and a dog", "Question marks, and a dog"),
        ("OpenFlamingo", "vqav2", "red, blue", "red"),
        ("OpenFlamingo", "vqav2", "red Question:why", "red"),
        ("OpenFlamingo", "textvqa", "red Short answer", "red"),
        ("OpenFlamingo", "vizwiz", "1,000 Answer", "1,000"),
        ("OpenFlamingo", "okvqa", "red, blue Answer", "red, blue"),
        ("IDEFICS", "coco", "a cat Image: dog", "a cat"),
        ("IDEFICS", "coco", 'a "cat". What is it', 'a "cat". What is it'),
        ("IDEFICS", "vqav2", "a cat. What is it", "a cat."),
        ("IDEFICS", "vqav2", "red, blue", "red, blue"),
    ],
)
def test_answers_are_cut_as_theirs(family: str, name: str, written: str, read: str) -> None:
    assert FAMILIES[family].benchmarks[name].answer_in(written) == read


def searches(monkeypatch: pytest.MonkeyPatch, model: Predictor) -> dict[str, Any]:
    """What `generate` is told, and a real answer of it."""
    told: dict[str, Any] = {}
    generate = model.model.generate

    def recorded(**settings: Any) -> Any:
        told.update(settings)
        return generate(**settings)

    monkeypatch.setattr(model.model, "generate", recorded)
    return told


def test_open_flamingo_searches_up_to_the_end_of_a_chunk(
    models: dict[str, PublishedPredictor], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = models["OpenFlamingo"]
    told = searches(monkeypatch, model)
    task = as_published(model, {"coco": opened("coco", tmp_path)})[1]["coco"]
    found = ask(model, task, [0], num_shots=0, seed=0, control="none", memory=model.visual_memory())
    assert found[0].prompt.endswith("<image>Output:")
    assert told["max_new_tokens"] == 20
    assert (told["num_beams"], told["length_penalty"]) == (3, 0.0)
    assert not told["early_stopping"]
    assert told["eos_token_id"] == [model.encoder.prepared.ids.eoc]
    assert "bad_words_ids" not in told


def test_idefics_searches_past_its_lines(
    models: dict[str, PublishedPredictor], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = models["IDEFICS"]
    told = searches(monkeypatch, model)
    task = as_published(model, {"vqav2": opened("vqav2", tmp_path)})[1]["vqav2"]
    ask(model, task, [0, 1], num_shots=2, seed=0, control="none", memory=model.visual_memory())
    assert told["max_new_tokens"] == 15
    assert (told["num_beams"], told["length_penalty"], told["early_stopping"]) == (3, 1.0, True)
    ids = model.encoder.prepared.ids
    assert told["eos_token_id"] == [ids.eos]
    assert [ids.image[0]] in [one[-1:] for one in told["bad_words_ids"]]
    assert len(told["bad_words_ids"]) == 4
    assert model.encoder.prepared.tokens(["\n"])[0] in told["bad_words_ids"]


def test_open_flamingo_ranks_by_the_mean_of_the_tokens(
    models: dict[str, PublishedPredictor], tmp_path: Path
) -> None:
    model = models["OpenFlamingo"]
    task = as_published(model, {"hateful-memes": opened("hateful-memes", tmp_path)})[1][
        "hateful-memes"
    ]
    prompt = task.prompt(task.build(0, 0, 2))
    words = ["yes", "a red square"]
    plain = Predictor(model.model, model.processor)
    batch = model.encode([prompt])
    for word, score in zip(words, model.score(prompt, words), strict=True):
        tokens = model.encoder.continuation(word)
        own = _log_likelihoods(model, batch, [*tokens, model.encoder.prepared.ids.eoc])
        assert sum(own) == pytest.approx(plain.score(prompt, [word])[0], abs=1e-3)
        assert score == pytest.approx(sum(own[:-1]) / len(tokens), abs=1e-3)
        assert len(tokens) > 1 or word == "yes"


def _log_likelihoods(model: Predictor, batch: Any, tokens: list[int]) -> list[float]:
    """Of tokens behind a prompt, by one pass over all of it."""
    inputs = batch.model_inputs()
    new = torch.tensor([tokens])
    last = inputs["visual_index"][:, -1:].expand(-1, len(tokens))
    whole = {
        **inputs,
        "input_ids": torch.cat([inputs["input_ids"], new], 1),
        "attention_mask": torch.cat([inputs["attention_mask"], torch.ones_like(new)], 1),
        "visual_index": torch.cat([inputs["visual_index"], last], 1),
    }
    with torch.no_grad():
        logits = model.model(**whole).logits[0, -len(tokens) - 1 : -1].log_softmax(-1)
    return logits.gather(-1, new[0][:, None])[:, 0].tolist()


def test_the_instructed_idefics_ranks_whole_turns(
    models: dict[str, PublishedPredictor], tmp_path: Path
) -> None:
    model = models["IDEFICS instruct"]
    own = opened("hateful-memes", tmp_path)
    task = as_published(model, {"hateful-memes": own})[1]["hateful-memes"]
    prompt = task.prompt(task.build(0, 0, 1))
    plain = Predictor(model.model, model.processor)
    found = dict(model.choose(prompt, ("no", "yes"), task.template).choices)
    assert [found["no"], found["yes"]] == pytest.approx(
        plain.score(prompt, [" no.", " yes."]), abs=1e-4
    )


def test_the_protocol_is_part_of_what_decides_the_episodes(
    models: dict[str, PublishedPredictor], tmp_path: Path
) -> None:
    own = opened("coco", tmp_path)
    theirs = as_published(models["OpenFlamingo"], {"coco": own})[1]["coco"]
    assert theirs.identity != own.identity
    assert theirs.prompts == "published by OpenFlamingo"
    assert (theirs.max_new_tokens, theirs.metric) == (20, "cider")
    other = as_published(models["OpenFlamingo"], {"coco": own}, {"coco": "accuracy"})[1]["coco"]
    assert other.metric == "accuracy"
