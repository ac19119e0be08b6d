"""Models that have prompts of their own, as the released ones do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flamingo import Predictor, Request
from flamingo.data.released_styles import IDEFICS, IDEFICS_INSTRUCT, OPEN_FLAMINGO
from flamingo.inference.remembered import Budgets
from flamingo.prompting import CAPTION, QUESTION_ANSWER, own_templates
from tests.data.trained_tokenizers import idefics_like, neox_like
from tests.tiny_predictor import tiny_predictor


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (20, 30, 3), dtype=np.uint8)


SUPPORTS = [(picture(1), "a cat"), (picture(2), "two dogs")]
QUESTIONS = [(picture(1), "Is it a cat?", "yes"), (picture(2), "Is it red?", "no")]

MAKE: dict[str, Callable[[], Predictor]] = {
    "open flamingo": lambda: tiny_predictor(neox_like(), **OPEN_FLAMINGO),
    "idefics": lambda: tiny_predictor(idefics_like("legacy"), **IDEFICS),
    "idefics instruct": lambda: tiny_predictor(
        idefics_like("first", is_instructed=True), **IDEFICS_INSTRUCT
    ),
}


@pytest.fixture(params=MAKE.values(), ids=MAKE.keys(), scope="module")
def predictor(request: pytest.FixtureRequest) -> Predictor:
    return request.param()


def test_requests_are_written_as_the_model_knows_them(predictor: Predictor) -> None:
    own = own_templates(predictor.processor.templates)
    assert predictor.templates == own
    assert predictor.read(SUPPORTS).template == own["caption"] != CAPTION
    assert predictor.read(QUESTIONS).template == own["question-answer"] != QUESTION_ANSWER
    request = Request.of(picture(3), question="Q?", templates=own)
    assert request.template == own["question-answer"]
    assert Request.of(picture(3), question="Q?").template == QUESTION_ANSWER


@pytest.mark.parametrize("choices", [(), ("a cat", "two dogs", "no")])
@pytest.mark.parametrize("kind", ["caption", "question"])
def test_supports_that_were_read_give_what_the_whole_prompt_gives(
    predictor: Predictor, choices: tuple[str, ...], kind: str
) -> None:
    asked: dict[str, Any] = {"question": "Is it blue?"} if kind == "question" else {}
    supports = QUESTIONS if kind == "question" else SUPPORTS
    how: dict[str, Any] = {"max_new_tokens": 6, "num_beams": 1}
    read = predictor.read(supports)
    after = predictor.answer(picture(3), supports=read, choices=choices, **asked, **how)
    whole = Predictor(predictor.model, predictor.processor, Budgets(support_bytes=0)).answer(
        picture(3), supports=supports, choices=choices, **asked, **how
    )
    assert after.text == whole.text
    assert after.score == pytest.approx(whole.score, abs=1e-3)
    written = predictor.templates["question-answer" if asked else "caption"]
    prompt = Request.of(picture(3), supports=supports, template=written, **asked).prompt()
    assert list(read.token_ids) == (predictor.encode([prompt]).input_ids[0, : len(read)].tolist())


def test_an_answer_ends_where_a_chunk_does(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, generate = predictor.model.generation_config, predictor.model.generate
    ids = predictor.encoder.prepared.ids
    lengths = []

    def recorded(**inputs: Any) -> Any:
        output = generate(**inputs)
        lengths.append(output.sequences.shape[1] - inputs["input_ids"].shape[1])
        return output

    monkeypatch.setattr(predictor.model, "generate", recorded)
    # As in the base IDEFICS, whose model does not know that its lines are examples.
    monkeypatch.setattr(config, "eos_token_id", [ids.eos])
    prompt = Request.of(picture(3), templates=predictor.templates).prompt()
    predictor.complete([prompt], num_beams=1, max_new_tokens=5)
    monkeypatch.setattr(config, "sequence_bias", [[[ids.eoc], 1000.0]])
    (answer,) = predictor.complete([prompt], num_beams=1, max_new_tokens=5)
    assert answer.text == ""
    assert lengths == [5, 1]


def test_choices_without_a_template_are_captions_of_the_model(predictor: Predictor) -> None:
    prompt = Request.of(picture(3), templates=predictor.templates).prompt()
    caption = predictor.templates["caption"]
    by_default = predictor.choose(prompt, ["a cat", "no"])
    assert by_default == predictor.choose(prompt, ["a cat", "no"], caption)


def test_the_template_is_saved_with_the_supports(predictor: Predictor, tmp_path: Path) -> None:
    read = predictor.read(QUESTIONS)
    predictor.save_supports(read, tmp_path / "supports.safetensors")
    assert predictor.load_supports(tmp_path / "supports.safetensors").template == read.template
