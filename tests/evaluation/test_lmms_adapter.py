"""A Flamingo answers lmms-eval's requests as it answers its own users."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from flamingo import Interleaved, Predictor, Visual
from flamingo.evaluation.lmms_manifest import manifest
from flamingo.foundation.errors import ConfigError
from tests.evaluation.lmms_stand_in import Instance, choose, forget, generate, installed
from tests.tiny_predictor import tiny_predictor


def picture(seed: int) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


DOCUMENTS: list[dict[str, Any]] = [
    {"visuals": [picture(0)], "question": "what color?", "answer": " red circle"},
    {"visuals": [picture(1)], "question": "what shape?", "answer": " blue star"},
    {"visuals": [picture(2), picture(3)], "question": "which?", "answer": " red"},
    {"visuals": None, "question": "what?", "answer": " blue"},
]


def document(number: int, text: str) -> Interleaved:
    visuals = [Visual.from_image(one) for one in DOCUMENTS[number]["visuals"] or ()]
    return Interleaved.of(*visuals, text)


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return tiny_predictor()


@pytest.fixture(scope="module")
def folder(predictor: Predictor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A saved model, while lmms-eval seems to be installed."""
    place = tmp_path_factory.mktemp("model")
    predictor.model.save_pretrained(place, full=True)
    predictor.processor.save_pretrained(place)
    with installed(tmp_path_factory.mktemp("packages")):
        yield place


def adapter(folder: Path, settings: str = "", **given: Any) -> Any:
    module, _, name = manifest().simple_class_path.rpartition(".")
    kind = getattr(importlib.import_module(module), name)
    given = {"batch_size": "2", "max_batch_size": None, "device": "cpu", **given}
    model = kind.create_from_arg_string(f"pretrained={folder},{settings}", given)
    model.task_dict["task"] = {"test": DOCUMENTS}
    return model


@pytest.fixture(scope="module")
def model(folder: Path) -> Any:
    return adapter(folder)


def test_the_manifest_leads_to_a_model_of_its_kind(model: Any) -> None:
    from lmms_eval.api.model import lmms
    from lmms_eval.models.registry_v2 import ModelManifest

    assert isinstance(manifest(), ModelManifest)
    assert manifest().model_id == "flamingo"
    assert isinstance(model, lmms)
    assert model.is_simple
    assert (model.batch_size, str(model.device)) == (2, "cpu")


def test_open_answers_come_in_order_whatever_their_settings(
    model: Any, predictor: Predictor
) -> None:
    wanted = [(0, 3, 1), (1, 3, 4), (2, 3, 1), (3, 1, 4), (0, 1, 4), (1, 3, 4), (0, 3, 4)]
    asked = [
        generate(number, "Output:", num_beams=beams, max_new_tokens=tokens)
        for number, beams, tokens in wanted
    ]
    expected = [
        predictor.complete([document(number, "Output:")], num_beams=beams, max_new_tokens=tokens)[
            0
        ].text
        for number, beams, tokens in wanted
    ]
    assert model.generate_until(asked) == expected
    assert len(set(expected)) > 2


def test_what_a_task_leaves_open_is_greedy_unless_the_user_says(
    model: Any, folder: Path, predictor: Predictor
) -> None:
    prompt = [document(0, "Output:")]
    greedy, searched = (
        predictor.complete(prompt, num_beams=beams, max_new_tokens=3)[0].text for beams in (1, 3)
    )
    assert greedy != searched
    asked = [generate(0, "Output: ", max_new_tokens=3, temperature=0, do_sample=False)]
    assert model.generate_until(asked) == [greedy]
    assert adapter(folder, "num_beams=3").generate_until(asked) == [searched]


def test_an_answer_ends_before_a_string_that_ends_it(model: Any) -> None:
    (whole,) = model.generate_until([generate(0, "Output:", max_new_tokens=6)])
    first, second = whole.split()[:2]
    for until in (second, [second, "never said"], ["never said", f" {second}"]):
        asked = [generate(0, "Output:", max_new_tokens=6, until=until)]
        assert model.generate_until(asked) == [first]


def test_sampling_is_not_done_in_silence(model: Any) -> None:
    with pytest.warns(UserWarning, match="wants answers sampled"):
        model.generate_until([generate(0, "Output:", max_new_tokens=1, temperature=0.7)])


def test_the_likeliest_choice_has_the_smallest_number(model: Any, predictor: Predictor) -> None:
    choices = [" red circle", " blue star", " red"]
    asked = [choose(number, "Output:", choice) for number in (0, 1) for choice in choices]
    found = [one.text for one in model.loglikelihood(asked)]
    expected = [
        -score
        for number in (0, 1)
        for score in predictor.score(document(number, "Output:"), choices)
    ]
    assert [loss for loss, _ in found] == pytest.approx(expected, abs=1e-4)
    best = predictor.choose(document(1, "Output:"), [choice.strip() for choice in choices])
    losses = [loss for loss, _ in found[3:]]
    assert choices[int(np.argmin(losses))].strip() == best.text


def test_it_says_whether_greedy_search_gives_a_choice(model: Any, predictor: Predictor) -> None:
    prompt = document(0, "Output:")
    greedy = predictor.complete([prompt], num_beams=1, max_new_tokens=3)[0].text
    is_whole = predictor.complete([prompt], num_beams=1, max_new_tokens=9)[0].text == greedy
    asked = [choose(0, "Output:", choice) for choice in (f" {greedy}", " red circle")]
    assert [one.text[1] for one in model.loglikelihood(asked)] == [is_whole, False]


def test_a_target_may_be_a_function_and_a_text_may_stand_alone(
    model: Any, predictor: Predictor
) -> None:
    asked = [
        choose(0, "Output:", lambda document: document["answer"]),
        Instance(("Output:", " red")),
        Instance(("Output:", " blue")),
    ]
    found = [one.text[0] for one in model.loglikelihood(asked)]
    alone = predictor.score(Interleaved.of("Output:"), [" red", " blue"])
    with_picture = predictor.score(document(0, "Output:"), [" red circle"])
    assert found == pytest.approx([-score for score in (*with_picture, *alone)], abs=1e-4)


def test_the_task_writes_round_after_round(model: Any) -> None:
    told: list[Any] = []

    def next_round(document: Any, **state: Any) -> tuple[Any, ...]:
        told.append(
            (list(state["previous_output"]), state["round_idx"], state["previous_round_info"])
        )
        if state["round_idx"] == 3:
            return None, None, True, state["previous_output"], None
        return document["visuals"], "Output:", False, state["previous_output"], "noted"

    first = generate(0, "Output:", max_new_tokens=3).args
    asked = Instance((*first[:3], next_round, *first[3:]))
    (once,) = model.generate_until([generate(0, "Output:", max_new_tokens=3)])
    # A list: its evaluator would turn a tuple into text.
    assert model.generate_until_multi_round([asked]) == [[once] * 3]
    assert told == [([once], 1, None), ([once] * 2, 2, "noted"), ([once] * 3, 3, "noted")]


def test_settings_that_make_no_sense_are_refused(folder: Path) -> None:
    for settings, message in (
        ("num_beams=-1", "num_beams is -1, but must be a whole number from 0 on"),
        ("dtype=float31", r"dtype is 'float31'\. Did you mean 'float"),
        ("template=question", "Did you mean 'question-answer'"),
        ("text_examples=x.json", "without a template"),
    ):
        with pytest.raises(ConfigError, match=message):
            adapter(folder, settings)
    with pytest.raises(ConfigError, match="batch_size is 'auto'"):
        adapter(folder, batch_size="auto")


def test_without_lmms_eval_its_adapter_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    forget(monkeypatch)
    monkeypatch.setitem(sys.modules, "lmms_eval", None)
    with pytest.raises(ConfigError, match="needs lmms-eval, which cannot be imported"):
        importlib.import_module("flamingo.evaluation.lmms_adapter")


def test_with_a_template_the_model_is_asked_as_it_was_trained(
    folder: Path, tmp_path: Path, predictor: Predictor
) -> None:
    examples = tmp_path / "examples.json"
    examples.write_text(json.dumps([{"question": "what?", "answer": "red"}]), encoding="utf-8")
    asking = adapter(folder, f"template=question-answer,text_examples={examples}")
    prompt = asking.prompts("Answer in one word.", DOCUMENTS[0]["visuals"], DOCUMENTS[0])
    assert prompt.text == "Question: what? Answer: redQuestion: what color? Answer:"
    answer = predictor.complete([prompt], num_beams=1, max_new_tokens=3)[0].text
    asked = [generate(0, "Answer in one word.", max_new_tokens=3)]
    assert asking.generate_until(asked) == [answer]
