"""Processors made of the files of released models, beside the code that those came with."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers.models.idefics.image_processing_pil_idefics import IdeficsImageProcessorPil
from transformers.models.idefics.processing_idefics import IdeficsProcessor

from flamingo.data import FlamingoImageProcessor, FlamingoProcessor
from flamingo.data.released_processors import released_parts
from flamingo.data.released_styles import OPEN_FLAMINGO_PICTURES, OPEN_FLAMINGO_TOKENIZERS
from flamingo.foundation.errors import CheckpointError, ConfigError, SequenceError
from flamingo.model.checkpoints.open_flamingo import RELEASED
from flamingo.prompting import Example, few_shot_prompt, own_templates
from flamingo.sequence import Visual, mark_up

from .trained_tokenizers import END, FAKE, IMAGE, idefics_like, neox_like

MEAN, STD, SIZE = [0.3, 0.4, 0.5], [0.2, 0.25, 0.3], 20
RNG = np.random.default_rng(0)
PICTURES = [
    Image.fromarray(RNG.integers(0, 256, (height, width, 3), dtype=np.uint8))
    for height, width in [(30, 17), (8, 40), (20, 20), (25, 64)]
]
CAT, DOG = (Visual.from_image(picture) for picture in PICTURES[:2])


def idefics_folder(
    folder: Path, scheme: str = "legacy", *, is_instructed: bool = False, **pictures: Any
) -> Path:
    """What stands beside the weights of an IDEFICS."""
    idefics_like(scheme, is_instructed=is_instructed).save_pretrained(folder)
    config = {"model_type": "idefics", "vision_config": {"image_size": SIZE}}
    (folder / "config.json").write_text(json.dumps(config))
    how = {
        "image_processor_type": "IdeficsImageProcessor",
        "image_num_channels": 3,
        "image_mean": MEAN,
        "image_std": STD,
        "image_size": SIZE,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(how | pictures))
    return folder


def theirs_of(folder: Path) -> IdeficsProcessor:
    tokenizer = FlamingoProcessor.from_pretrained(folder).tokenizer
    return IdeficsProcessor(
        IdeficsImageProcessorPil.from_pretrained(folder), tokenizer, image_size=SIZE
    )


PROMPTS: list[list[list[Any]]] = [
    [["Question: is it a cat?\nAnswer: yes\n\nA dog"]],
    [["User:", PICTURES[0], "What is in this image?\nAssistant:"]],
    [[PICTURES[0], PICTURES[1], PICTURES[2], "two cats", PICTURES[3], PICTURES[0]]],
    [
        ["User:", PICTURES[0], "red\nAssistant: a dog\nUser:", PICTURES[1], "blue\nAssistant:"],
        ["no image at all"],
        [PICTURES[2], PICTURES[3], "yes"],
    ],
]


def tagged(prompt: list[Any]) -> tuple[str, list[Image.Image]]:
    text = "".join(part if isinstance(part, str) else IMAGE for part in prompt)
    return text, [part for part in prompt if not isinstance(part, str)]


@pytest.mark.parametrize("scheme", ["legacy", "first"])
@pytest.mark.parametrize("is_instructed", [False, True])
@pytest.mark.parametrize("prompts", PROMPTS, ids=["none", "one", "in a row", "ragged"])
def test_idefics_inputs_are_those_of_transformers(
    tmp_path: Path, scheme: str, is_instructed: bool, prompts: list[list[Any]]
) -> None:
    folder = idefics_folder(tmp_path, scheme, is_instructed=is_instructed)
    ours = FlamingoProcessor.from_pretrained(folder)
    # Without an end of its own between texts in a row: turns end where the texts say so.
    theirs = theirs_of(folder)(text=prompts, add_end_of_utterance_token=False)
    texts, images = zip(*map(tagged, prompts), strict=True)
    found = ours(text=list(texts), images=list(images))
    assert torch.equal(found["input_ids"], theirs["input_ids"])
    assert torch.equal(found["attention_mask"], theirs["attention_mask"])
    seen = theirs["image_attention_mask"].long()
    expected = (seen * torch.arange(1, seen.shape[-1] + 1)).sum(-1)
    assert torch.equal(found["visual_index"], expected * theirs["attention_mask"])
    if any(images):
        assert torch.equal(found["pixel_values"][:, :, 0], theirs["pixel_values"])


def test_idefics_in_random_orders(tmp_path: Path) -> None:
    ours, rng = FlamingoProcessor.from_pretrained(idefics_folder(tmp_path)), random.Random(0)
    theirs = theirs_of(tmp_path)
    texts = ["User:", "a cat", "yes\nAssistant:", "two  cats.\n", "é∀"]
    for _ in range(20):
        parts = [rng.choice([*PICTURES, *texts]) for _ in range(rng.randint(1, 7))]
        expected = theirs(text=[parts], add_end_of_utterance_token=False)["input_ids"]
        text, images = tagged(parts)
        assert torch.equal(ours(text=text, images=images)["input_ids"], expected)


def test_their_own_writing_of_images_is_understood(tmp_path: Path) -> None:
    ours = FlamingoProcessor.from_pretrained(idefics_folder(tmp_path))
    written = f"<s>User:{FAKE}{IMAGE}{FAKE}{IMAGE}{FAKE}What?"
    images = PICTURES[:2]
    assert torch.equal(
        ours(text=written, images=images)["input_ids"],
        ours(text="User:<image><image>What?", images=images)["input_ids"],
    )
    assert ours.tokenizer.decode(ours(text=written, images=images)["input_ids"][0]).count(FAKE) == 3
    for tag in (FAKE, IMAGE):
        with pytest.raises(SequenceError, match=tag):
            ours(text=f"a {tag} b")


def test_idefics_reads_its_own_settings(tmp_path: Path) -> None:
    ours = FlamingoProcessor.from_pretrained(idefics_folder(tmp_path))
    pictures = ours.image_processor
    assert (pictures.size["height"], pictures.image_mean, pictures.image_std) == (SIZE, MEAN, STD)
    assert (pictures.fit, pictures.reading) == ("squash", "idefics")
    ids = ours.encoder().prepared.ids
    assert ours.tokenizer.convert_ids_to_tokens([*ids.image, ids.around_image]) == [IMAGE, FAKE]
    assert ours.tokenizer.decode([ids.eoc]) == "\n"
    fallback = idefics_folder(tmp_path, image_size=None)
    assert FlamingoProcessor.from_pretrained(fallback).image_processor.size["height"] == SIZE


def test_what_idefics_does_not_tell_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="does not tell image_mean"):
        FlamingoProcessor.from_pretrained(idefics_folder(tmp_path, image_mean=None))
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(CheckpointError, match=r"has no preprocessor_config\.json"):
        FlamingoProcessor.from_pretrained(tmp_path)
    idefics_folder(tmp_path)
    neox_like().save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="does not know <image>"):
        FlamingoProcessor.from_pretrained(tmp_path)


@pytest.mark.parametrize("is_instructed", [False, True])
def test_a_released_processor_is_saved_and_loaded_as_ours(
    tmp_path: Path, is_instructed: bool
) -> None:
    source = idefics_folder(tmp_path / "theirs", is_instructed=is_instructed)
    released = FlamingoProcessor.from_pretrained(source)
    released.save_pretrained(tmp_path / "ours")
    assert released_parts(tmp_path / "ours") is None
    loaded = FlamingoProcessor.from_pretrained(tmp_path / "ours")
    arguments = {"text": ["User:<image>a\nb", "c"], "images": [[PICTURES[0]], []]}
    for name, value in released(**arguments).items():
        assert torch.equal(value, loaded(**arguments)[name])
    assert loaded.templates == released.templates
    assert loaded.chat_template == released.chat_template


@pytest.mark.parametrize("legacy", [True, False])
def test_the_class_of_the_tokenizer_may_be_that_of_llama(tmp_path: Path, legacy: bool) -> None:
    file = idefics_folder(tmp_path) / "tokenizer_config.json"
    config = json.loads(file.read_text()) | {"tokenizer_class": "LlamaTokenizer", "legacy": legacy}
    file.write_text(json.dumps(config))
    ours = FlamingoProcessor.from_pretrained(tmp_path)
    theirs = theirs_of(tmp_path)(text=PROMPTS[3], add_end_of_utterance_token=False)
    texts, images = zip(*map(tagged, PROMPTS[3]), strict=True)
    assert torch.equal(
        ours(text=list(texts), images=list(images))["input_ids"], theirs["input_ids"]
    )
    ours.save_pretrained(tmp_path / "ours")
    loaded = FlamingoProcessor.from_pretrained(tmp_path / "ours")
    again = loaded(text=list(texts), images=list(images))
    assert torch.equal(again["input_ids"], theirs["input_ids"])


def test_other_settings_may_be_given(tmp_path: Path) -> None:
    folder = idefics_folder(tmp_path)
    other = FlamingoProcessor.from_pretrained(folder, whole_text=False, local_files_only=True)
    assert not other.encoder().prepared.whole_text


# Prompts


def prompt_of(processor: FlamingoProcessor, name: str, *fields: dict[str, str]) -> str:
    template = own_templates(processor.templates)[name]
    *supports, query = (Example((CAT,), given) for given in fields)
    document = few_shot_prompt(supports, query, template)
    return mark_up(document, processor.encoder().prepared.markup, is_complete=False).text


def test_prompts_of_idefics(tmp_path: Path) -> None:
    base = FlamingoProcessor.from_pretrained(idefics_folder(tmp_path / "base"))
    seen = f"{FAKE}{IMAGE}{FAKE}"
    assert prompt_of(base, "caption", {"output": "a cat"}, {}) == (
        f"<s>Image:{seen}Caption: a cat\nImage:{seen}Caption:"
    )
    assert prompt_of(base, "question-answer", {"question": "Q?"}) == (
        "<s>Instruction: provide an answer to the question. Use the image to answer.\n"
        f"Image:{seen}Question: Q? Answer:"
    )
    instructed = FlamingoProcessor.from_pretrained(
        idefics_folder(tmp_path / "instructed", is_instructed=True)
    )
    shot = {"question": "Q?", "answer": "yes"}
    assert prompt_of(instructed, "question-answer", shot, {"question": "R?"}) == (
        f"<s>User:{seen}Q?{END}\nAssistant: yes{END}\nUser:{seen}R?{END}\nAssistant:"
    )


def open_flamingo(folder: Path) -> FlamingoProcessor:
    folder.mkdir(exist_ok=True)
    (folder / "checkpoint.pt").write_bytes(b"not read for a processor")
    return FlamingoProcessor.from_pretrained(folder, tokenizer=neox_like())


def test_prompts_of_open_flamingo(tmp_path: Path) -> None:
    processor = open_flamingo(tmp_path)
    assert prompt_of(processor, "caption", {"output": "a"}, {}) == (
        "<image>Output:a<|endofchunk|>\n<image>Output:"
    )
    shot = {"question": "Q?", "answer": "b c"}
    assert prompt_of(processor, "question-answer", shot, {"question": "R?"}) == (
        "<image>Question:Q? Short answer:b c<|endofchunk|>\n<image>Question:R? Short answer:"
    )
    meme = {"meme_text": "hi", "answer": "no"}
    written = "<image>is an image with: 'hi' written on it. Is it hateful? Answer:"
    assert prompt_of(processor, "hateful-memes", meme, meme) == (
        f"{written}no<|endofchunk|>{written}"
    )


def test_ids_of_open_flamingo_are_those_of_its_string(tmp_path: Path) -> None:
    processor = open_flamingo(tmp_path)
    tokenizer = processor.tokenizer
    size = len(neox_like())
    names = ["<|endofchunk|>", "<image>", "<PAD>"]
    assert tokenizer.convert_tokens_to_ids(names) == [size, size + 1, size + 2]
    text = "<image>Output:a<|endofchunk|>\n<image>Output:b<|endofchunk|><image>Output:"
    found = processor(text=text, images=PICTURES[:3])
    assert found["input_ids"].tolist() == [tokenizer(text)["input_ids"]]
    assert found["visual_index"].max() == 3
    batch = processor(text=["<image>", "<image>Output:"], images=PICTURES[:2])
    assert batch["input_ids"][0, 0] == tokenizer.pad_token_id == size + 2


def test_open_flamingo_sees_as_open_clip_does(tmp_path: Path) -> None:
    pictures = open_flamingo(tmp_path).image_processor
    assert pictures.to_dict() == FlamingoImageProcessor(**OPEN_FLAMINGO_PICTURES).to_dict()
    assert (pictures.fit, pictures.reading, pictures.size["height"]) == ("crop", "open_clip", 224)


def test_the_tokenizer_of_an_open_flamingo_may_be_a_folder_but_must_be_known(
    tmp_path: Path,
) -> None:
    neox_like().save_pretrained(tmp_path / "language_model")
    (tmp_path / "checkpoint.pt").touch()
    named = FlamingoProcessor.from_pretrained(tmp_path, tokenizer=tmp_path / "language_model")
    assert named.encoder().prepared.ids.eoc == len(neox_like())
    with pytest.raises(CheckpointError, match="needs the tokenizer of its language model"):
        FlamingoProcessor.from_pretrained(tmp_path)
    (tmp_path / "language_model" / "tokenizer.json").write_text('{"version": "1.0"}')
    with pytest.raises(CheckpointError, match=r"(?s)The tokenizer at .*cannot be loaded"):
        FlamingoProcessor.from_pretrained(tmp_path, tokenizer=tmp_path / "language_model")
    with pytest.raises(ConfigError, match="brings its own"):
        FlamingoProcessor.from_pretrained(tmp_path / "language_model", tokenizer=neox_like())


def test_tokenizers_are_looked_for_where_the_language_models_are() -> None:
    assert {name: parts[0] for name, parts in RELEASED.items()} == dict(OPEN_FLAMINGO_TOKENIZERS)


# Conversations


def turns(*texts: str) -> list[dict[str, Any]]:
    roles = ("user", "assistant")
    return [
        {
            "role": roles[number % 2],
            "content": [
                *([] if number % 2 else [{"type": "image", "image": PICTURES[number]}]),
                {"type": "text", "text": text},
            ],
        }
        for number, text in enumerate(texts)
    ]


def test_conversations_with_idefics(tmp_path: Path) -> None:
    seen = f"{FAKE}{IMAGE}{FAKE}"
    for is_instructed, end in ((False, "\n"), (True, f"{END}\n")):
        folder = idefics_folder(tmp_path / str(is_instructed), is_instructed=is_instructed)
        processor = FlamingoProcessor.from_pretrained(folder)
        asked = turns("What?", "A cat.", "And this?")
        expected = (
            f"<s>User:{seen}What?{end}Assistant: A cat.{end}User:{seen}And this?{end}Assistant:"
        )
        inputs = processor.apply_chat_template(
            asked, tokenize=True, return_dict=True, add_generation_prompt=True
        )
        tokenizer = processor.tokenizer
        assert inputs["input_ids"].tolist() == [
            tokenizer(expected, add_special_tokens=False)["input_ids"]
        ]
        answered = processor.apply_chat_template(asked[:2], tokenize=True)
        whole = f"<s>User:{seen}What?{end}Assistant: A cat.{end.rstrip() or end}</s>"
        assert answered.tolist() == [tokenizer(whole, add_special_tokens=False)["input_ids"]]
        said = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi."}]
        assert processor.apply_chat_template(said, add_generation_prompt=True) == (
            f"<s>Be brief.{end}User: Hi.{end}Assistant:"
        )
        with pytest.raises(Exception, match="the role tool"):
            processor.apply_chat_template([{"role": "tool", "content": "a"}])
        with pytest.raises(Exception, match="of the type audio"):
            processor.apply_chat_template([{"role": "user", "content": [{"type": "audio"}]}])


def test_conversations_with_open_flamingo_are_its_prompts(tmp_path: Path) -> None:
    processor = open_flamingo(tmp_path)
    text = processor.apply_chat_template(turns("Output:", "a", "Output:"))
    assert text == "<image>Output:a<|endofchunk|>\n<image>Output:"
    inputs = processor.apply_chat_template(turns("Output:", "a", "Output:"), tokenize=True)
    assert inputs.tolist() == [processor.tokenizer(text)["input_ids"]]
    complete = processor.apply_chat_template(turns("Output:", "a"))
    assert complete == "<image>Output:a<|endofchunk|><|endoftext|>"
