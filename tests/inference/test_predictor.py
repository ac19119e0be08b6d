"""From files and strings to answers."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoModelForImageTextToText, AutoProcessor, pipeline

from flamingo import Interleaved, Predictor, Request, Visual
from flamingo.foundation.errors import CheckpointError, SequenceError
from flamingo.inference.attention_maps import attention_over_query
from flamingo.prompting import CAPTION
from tests.tiny_predictor import tiny_predictor


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (20, 30, 3), dtype=np.uint8)


SUPPORTS = [(picture(1), "red circle"), (picture(2), "blue star")]


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return tiny_predictor()


@pytest.mark.parametrize("num_beams", [1, 3])
def test_an_open_answer_carries_its_likelihood(predictor: Predictor, num_beams: int) -> None:
    answer = predictor.answer(picture(3), supports=SUPPORTS, num_beams=num_beams, max_new_tokens=4)
    prompt = Request.of(picture(3), supports=SUPPORTS).prompt()
    output = predictor.model.generate(
        **predictor.encode([prompt]).model_inputs(),
        num_beams=num_beams,
        max_new_tokens=4,
        do_sample=False,
        **({"length_penalty": 0.0} if num_beams > 1 else {}),
    )
    new = output[:, predictor.encode([prompt]).input_ids.shape[1] :]
    text = predictor.processor.tokenizer.decode(new[0], skip_special_tokens=True).strip()
    assert answer.text == text
    assert answer.score < 0


def test_choices_are_ranked_by_likelihood(predictor: Predictor) -> None:
    choices = ["red circle", "blue star", "dax"]
    answer = predictor.answer(picture(3), supports=SUPPORTS, choices=choices)
    scores = [score for _, score in answer.choices]
    assert scores == sorted(scores, reverse=True)
    assert {choice for choice, _ in answer.choices} == set(choices)
    assert answer.text == answer.choices[0][0]
    assert sum(answer.probabilities().values()) == pytest.approx(1)


def test_a_batch_gives_what_single_requests_give(predictor: Predictor) -> None:
    requests = [
        Request.of(picture(3), supports=SUPPORTS),
        Request.of(picture(4), supports=SUPPORTS[:1], choices=["red", "blue"]),
        Request.of(picture(5)),
        Request.of(picture(6), question="what color?", supports=[(picture(7), "red")]),
    ]
    together = predictor.answer_all(requests, batch_size=3, max_new_tokens=4)
    for request, answer in zip(requests, together, strict=True):
        alone = predictor.answer_all([request], max_new_tokens=4)[0]
        assert answer.text == alone.text
        assert answer.score == pytest.approx(alone.score, abs=1e-3)


def test_the_order_of_supports_is_that_of_the_prompt(predictor: Predictor) -> None:
    prompt = Request.of(picture(3), supports=SUPPORTS).prompt()
    assert [v.fingerprint() for v in prompt.visuals] == [
        Visual.from_image(picture(seed)).fingerprint() for seed in (1, 2, 3)
    ]


def test_zero_shot_examples_bring_no_visual(predictor: Predictor) -> None:
    request = Request.of(picture(3), text_examples=[{"output": "a"}, {"output": "b"}])
    assert len(request.prompt().visuals) == 1
    assert request.prompt().text == "Output: aOutput: bOutput:"


def test_supports_and_text_examples_together_are_an_error() -> None:
    with pytest.raises(SequenceError, match="2 supports and 1 text examples"):
        Request.of(picture(3), supports=SUPPORTS, text_examples=[{"output": "a"}])


def test_a_choice_given_twice_is_an_error() -> None:
    with pytest.raises(SequenceError, match="A choice is given twice: a, b, a"):
        Request.of(picture(3), choices=["a", "b", "a"])


def test_a_support_of_four_parts_is_an_error() -> None:
    with pytest.raises(SequenceError, match="one has 4 parts"):
        Request.of(picture(3), supports=[(picture(1), "a", "b", "c")])


def test_attention_is_a_distribution_over_the_query(predictor: Predictor) -> None:
    clip = Visual.from_frames(np.stack([picture(seed) for seed in range(3)]))
    prompt = Request.of(clip, supports=SUPPORTS).prompt()
    attention = attention_over_query(predictor, prompt)
    assert attention.shape == (3, 4)
    assert float(attention.sum()) == pytest.approx(1, abs=1e-5)
    assert (attention >= 0).all()


def test_a_saved_model_is_found_by_the_auto_classes(predictor: Predictor, tmp_path: Path) -> None:
    predictor.model.save_pretrained(tmp_path, full=True)
    predictor.processor.save_pretrained(tmp_path)
    again = Predictor.from_pretrained(tmp_path, device="cpu", dtype="fp32")
    plain, loaded = (
        one.answer(picture(3), supports=SUPPORTS, max_new_tokens=4) for one in (predictor, again)
    )
    assert loaded.text == plain.text
    # Which pictures were encoded together moves last bits.
    assert loaded.score == pytest.approx(plain.score, abs=1e-5)
    model = AutoModelForImageTextToText.from_pretrained(tmp_path)
    processor = AutoProcessor.from_pretrained(tmp_path)
    turn = [
        {
            "role": "user",
            "content": [
                {"type": "image", "image": Image.fromarray(picture(3))},
                {"type": "text", "text": "Output:"},
            ],
        }
    ]
    pipe = pipeline("image-text-to-text", model=model, processor=processor)
    said = pipe(
        text=turn,
        max_new_tokens=4,
        generate_kwargs={"do_sample": False},
        return_full_text=False,
    )
    document = Interleaved.of(Visual.from_image(picture(3)), CAPTION.query())
    expected = predictor.complete([document], num_beams=1, max_new_tokens=4)[0].text
    assert said[0]["generated_text"].strip() == expected


def test_trained_parts_alone_are_a_checkpoint(predictor: Predictor, tmp_path: Path) -> None:
    model = predictor.model
    with pytest.warns(UserWarning, match="does not say where the frozen ones are"):
        model.save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="does not say where its language_model is"):
        type(model).from_pretrained(tmp_path)
    again = type(model).from_pretrained(
        tmp_path, language_model=model.language_model, vision_encoder=model.vision_encoder
    )
    inputs = predictor.encode([Request.of(picture(3), supports=SUPPORTS).prompt()]).model_inputs()
    with torch.no_grad():
        assert torch.equal(again(**inputs).logits, model(**inputs).logits)
    assert not (tmp_path / "model.safetensors").exists()


def test_a_checkpoint_of_trained_parts_in_16_bits_keeps_its_tables(
    predictor: Predictor, tmp_path: Path
) -> None:
    model = copy.deepcopy(predictor.model)
    with pytest.warns(UserWarning, match="does not say where"):
        model.save_pretrained(tmp_path)
    again = type(model).from_pretrained(
        tmp_path,
        dtype="bfloat16",
        language_model=model.language_model,
        vision_encoder=model.vision_encoder,
    )
    assert {value.dtype for value in again.parameters()} == {torch.bfloat16}
    tables = {name: value for name, value in again.named_buffers() if "inv_freq" in name}
    assert tables
    assert {value.dtype for value in tables.values()} == {torch.float32}


def test_a_full_checkpoint_with_a_hole_is_refused(predictor: Predictor, tmp_path: Path) -> None:
    predictor.model.save_pretrained(tmp_path, full=True)
    predictor.processor.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["resampler.latents"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"Missing: \['resampler.latents'\]"):
        Predictor.from_pretrained(tmp_path)


def test_a_folder_without_weights_is_refused(predictor: Predictor, tmp_path: Path) -> None:
    predictor.model.config.save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="cannot be loaded from"):
        Predictor.from_pretrained(tmp_path)


def test_questions_of_supports_are_not_dropped() -> None:
    with pytest.raises(SequenceError, match="1 supports carry a question, but the query has none"):
        Request.of(picture(3), supports=[(picture(1), "what color?", "red")])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("miniatur", "Did you mean 'miniature'"),
        ("./nothing/here", "not a folder, and not a hub name"),
    ],
)
def test_an_unknown_model_is_named(name: str, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        Predictor.from_pretrained(name)


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(CheckpointError, match=r"holds no config\.json.*It holds: notes\.txt"):
        Predictor.from_pretrained(tmp_path)
