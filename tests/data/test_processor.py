from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoProcessor, PreTrainedConfig
from transformers.models.auto.image_processing_auto import IMAGE_PROCESSOR_MAPPING
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING

from flamingo.data import Encoder, FlamingoImageProcessor, FlamingoProcessor, prepare_tokenizer
from flamingo.foundation.errors import ConfigError, MediaError, SequenceError
from flamingo.sequence import Interleaved, Visual

from .media_for_tests import gray, jpeg_bytes, write_video
from .tokenizers_for_tests import FAMILIES, byte_level_bpe

CAT, DOG = Image.fromarray(gray(200)), Image.fromarray(gray(100))
CLIP = [Image.fromarray(gray(value)) for value in (0, 50, 100)]
BOS = EOS = "<|endoftext|>"


@pytest.fixture(params=FAMILIES.values(), ids=FAMILIES.keys())
def processor(request: pytest.FixtureRequest) -> FlamingoProcessor:
    return FlamingoProcessor(FlamingoImageProcessor(16), request.param())


@pytest.fixture
def gpt() -> FlamingoProcessor:
    return FlamingoProcessor(FlamingoImageProcessor(16), byte_level_bpe())


def same(left: Any, right: Any) -> bool:
    return set(left) == set(right) and all(torch.equal(left[name], right[name]) for name in left)


def test_text_with_tags_equals_the_document(processor: FlamingoProcessor) -> None:
    tagged = processor(text="<image>A cat.<EOC><image>", images=[CAT, DOG])
    cat, dog = Visual.from_image(CAT), Visual.from_image(DOG)
    assert same(tagged, processor.encode([Interleaved.of(cat, "A cat.", dog)]))
    assert tagged["pixel_values"].shape == (1, 2, 1, 3, 16, 16)
    assert set(tagged) == set(processor.model_input_names)


def test_a_begin_in_the_text_stands_once(processor: FlamingoProcessor) -> None:
    markup = processor.encoder().prepared.markup
    plain = processor(text="a cat")
    assert same(plain, processor(text=f"{markup.bos}a cat"))
    begin = processor.encoder().prepared.ids.bos
    assert plain["input_ids"][0].tolist().count(begin) == 1


def test_a_text_that_ends_is_complete(gpt: FlamingoProcessor) -> None:
    for text in (f"<image>A cat.{EOS}", f"{BOS}<image>A cat.<EOC>{EOS}"):
        ids = gpt(text=text, images=CAT)["input_ids"][0]
        assert gpt.tokenizer.decode(ids) == f"{BOS}<image>A cat.<EOC>{EOS}"


def test_flat_and_nested_visuals_are_the_same(gpt: FlamingoProcessor) -> None:
    texts = ["<image>a<image>b", "text only", "<image>c"]
    flat = gpt(text=texts, images=[CAT, DOG, CAT])
    assert same(flat, gpt(text=texts, images=[[CAT, DOG], [], [CAT]]))
    assert same(flat, gpt(text=texts, images=[[CAT, DOG], None, CAT]))
    assert flat["frame_mask"].squeeze(-1).tolist() == [[True, True], [False] * 2, [True, False]]


def test_rows_are_padded_on_the_left_to_generate(gpt: FlamingoProcessor) -> None:
    texts = ["<image>a", "<image>a longer text"]
    batch = gpt(text=texts, images=[CAT, CAT])
    assert batch["attention_mask"][:, -1].tolist() == [1, 1]
    assert batch["attention_mask"][0, 0] == 0
    right = gpt(text=texts, images=[CAT, CAT], padding_side="right")
    assert right["attention_mask"][:, 0].tolist() == [1, 1]


def test_text_alone_has_no_pixels(processor: FlamingoProcessor) -> None:
    inputs = processor(text=["a cat", "a"], return_tensors="pt", padding=True)
    assert set(inputs) == {"input_ids", "attention_mask", "visual_index"}
    assert not inputs["visual_index"].any()


def test_videos_stand_where_their_tags_are(gpt: FlamingoProcessor) -> None:
    mixed = gpt(text="<video>a<EOC><image>b", images=CAT, videos=[CLIP])
    frames = Visual.from_frames(CLIP)
    assert same(mixed, gpt.encode([Interleaved.of(frames, "a", Visual.from_image(CAT), "b")]))
    alone = gpt.encode([Interleaved.of(frames, "a")])
    for videos in (CLIP, [CLIP], [[CLIP]], np.stack([np.asarray(f) for f in CLIP])):
        assert same(gpt(text="<video>a", videos=videos), alone)
        assert same(gpt(text="<image>a", videos=videos), alone)


def test_files_are_read_and_videos_sampled(gpt: FlamingoProcessor, tmp_path: Path) -> None:
    CAT.save(tmp_path / "cat.png")
    clip = write_video(tmp_path / "clip.mp4", range(0, 240, 10))
    images = [str(tmp_path / "cat.png"), clip]
    inputs = gpt(text="<image>a<image>b", images=images)
    assert inputs["frame_mask"].sum(-1).tolist() == [[1, 3]]
    assert gpt(text="<image>", images=clip, num_frames=5)["frame_mask"].sum() == 5
    assert gpt(text="<video>", videos=[clip], videos_kwargs={"fps": 2})["frame_mask"].sum() == 6
    with pytest.raises(MediaError, match="no such file"):
        gpt(text="<image>", images=str(tmp_path / "dog.png"))


def test_labels_leave_out_tags_and_padding(gpt: FlamingoProcessor) -> None:
    documents = [Interleaved.of(Visual.from_image(CAT), "a cat"), Interleaved.of("a")]
    data = gpt.encode(documents, is_complete=True, with_labels=True, padding_side="right")
    ids = gpt.encoder().prepared.ids
    assert (data["labels"][data["attention_mask"] == 0] == -100).all()
    assert (data["labels"][data["input_ids"] == ids.image[0]] == -100).all()
    assert data["labels"][0, -1] == ids.eos


def test_numbers_of_tags_and_visuals_must_agree(gpt: FlamingoProcessor) -> None:
    with pytest.raises(SequenceError) as caught:
        gpt(text="<image>A cat.<EOC><image>A dog.", images=[CAT])
    assert str(caught.value) == (
        "the text has 2 <image> tags but 1 visual was given.\n"
        "Each <image> tag stands for exactly one image or video, in the order they appear.\n"
        'Text: "<image>A cat.<EOC><image>A dog."   Give 2 visuals, or remove a tag.'
    )
    with pytest.raises(SequenceError, match="1 <image> tag but 0 visuals"):
        gpt(text="<image>")
    with pytest.raises(SequenceError, match="1 <video> tag but 0 visuals"):
        gpt(text="<image><video>", images=[CAT])
    with pytest.raises(SequenceError, match=r"the 2 texts have \[1, 1\] <image> tags.* is 1"):
        gpt(text=["<image>", "<image>"], images=[CAT])
    with pytest.raises(SequenceError, match="0 <image> tags but 1 visual was"):
        gpt(text=["<image>", "a"], images=[[CAT], [CAT]])
    with pytest.raises(SequenceError, match="2 texts came with visuals for 1"):
        gpt(text=["<image>", "<image>"], images=[[CAT, CAT]])


def test_cutting_never_loses_a_visual(gpt: FlamingoProcessor) -> None:
    text = "<image>aaaaaaaa<image>"
    with pytest.raises(SequenceError, match="would lose 1 of its 2 visuals"):
        gpt(text=text, images=[CAT, CAT], truncation=True, max_length=8)
    assert gpt(text="<image>aaaaaaaa", images=CAT, truncation=True, max_length=5)[
        "input_ids"
    ].shape == (1, 5)
    gpt.tokenizer.model_max_length = 3
    assert gpt(text=text, images=[CAT, CAT])["input_ids"].shape[1] > 8


def test_wrong_options_are_named(gpt: FlamingoProcessor) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'padding_side'"):
        gpt(text="a", paddingside="left")
    with pytest.raises(ConfigError, match="without text"):
        gpt(images=CAT)
    with pytest.raises(ConfigError, match="padding='max_length'"):
        gpt(text="a", padding="max_length")


def test_only_pixels_take_another_precision(gpt: FlamingoProcessor) -> None:
    inputs = gpt(text="<image>a", images=CAT).to(dtype=torch.bfloat16)
    assert inputs["pixel_values"].dtype == torch.bfloat16
    assert inputs["input_ids"].dtype == inputs["visual_index"].dtype == torch.int64
    assert inputs["frame_mask"].dtype == torch.bool


def test_numpy_arrays_on_request(gpt: FlamingoProcessor) -> None:
    inputs = gpt(text="<image>a", images=CAT, return_tensors="np")
    assert all(isinstance(value, np.ndarray) for value in inputs.values())


# Conversations

SHOT = [
    {
        "role": "user",
        "content": [{"type": "image", "image": CAT}, {"type": "text", "text": "Output:"}],
    },
    {"role": "assistant", "content": [{"type": "text", "text": "A cat."}]},
]
QUERY = [
    {
        "role": "user",
        "content": [{"type": "image", "image": DOG}, {"type": "text", "text": "Output:"}],
    }
]


def test_a_conversation_is_a_few_shot_prompt(gpt: FlamingoProcessor) -> None:
    text = gpt.apply_chat_template(SHOT + QUERY, add_generation_prompt=True)
    assert text == f"{BOS}<image>Output: A cat.<EOC><image>Output:"


def test_a_conversation_that_ends_in_an_answer_is_complete(gpt: FlamingoProcessor) -> None:
    assert gpt.apply_chat_template(SHOT) == f"{BOS}<image>Output: A cat.<EOC>{EOS}"


def test_an_answer_can_be_continued(gpt: FlamingoProcessor) -> None:
    text = gpt.apply_chat_template(SHOT, continue_final_message=True)
    assert text == f"{BOS}<image>Output: A cat."


def test_content_as_a_string_and_a_system_turn(gpt: FlamingoProcessor) -> None:
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello."},
        {"role": "assistant", "content": " Hi."},
        {"role": "user", "content": "Bye."},
    ]
    assert gpt.apply_chat_template(turns) == f"{BOS}Be brief.<EOC>Hello. Hi.<EOC>Bye."


def test_tokenized_conversations(processor: FlamingoProcessor) -> None:
    options: dict[str, Any] = {"tokenize": True, "return_dict": True, "return_tensors": "pt"}
    inputs = processor.apply_chat_template(SHOT + QUERY, add_generation_prompt=True, **options)
    direct = processor(text="<image>Output: A cat.<EOC><image>Output:", images=[CAT, DOG])
    assert same(inputs, direct)
    batch = processor.apply_chat_template(
        [SHOT + QUERY, QUERY, [{"role": "user", "content": "Hello."}]],
        add_generation_prompt=True,
        processor_kwargs={"padding": True},
        **options,
    )
    assert batch["input_ids"].shape == (3, direct["input_ids"].shape[1])
    assert batch["frame_mask"].squeeze(-1).tolist() == [[True, True], [True, False], [False] * 2]
    ids = processor.apply_chat_template(QUERY, tokenize=True)
    assert torch.equal(ids, processor(text="<image>Output:", images=DOG)["input_ids"])


def test_images_and_videos_of_a_conversation_keep_their_order(
    gpt: FlamingoProcessor, tmp_path: Path
) -> None:
    clip = write_video(tmp_path / "clip.mp4", range(0, 240, 10))
    encoded = base64.b64encode(jpeg_bytes()).decode()
    content = [
        {"type": "video", "path": str(clip)},
        {"type": "text", "text": "then"},
        {"type": "image", "base64": encoded},
        {"type": "video", "video": CLIP[:2]},
    ]
    turns = [{"role": "user", "content": content}]
    inputs = gpt.apply_chat_template(turns, tokenize=True, return_dict=True)
    assert inputs["frame_mask"].sum(-1).tolist() == [[3, 1, 2]]


@pytest.mark.parametrize("tag", ["<image>", "<video>", "<EOC>", EOS])
@pytest.mark.parametrize("as_parts", [False, True])
def test_a_turn_cannot_inject_a_tag(gpt: FlamingoProcessor, tag: str, as_parts: bool) -> None:
    text = f"see {tag}"
    content = [{"type": "text", "text": text}] if as_parts else text
    with pytest.raises(SequenceError, match="contains the tag"):
        gpt.apply_chat_template([{"role": "user", "content": content}])


def test_the_callers_conversation_is_not_changed(gpt: FlamingoProcessor) -> None:
    part = {"type": "image", "base64": base64.b64encode(jpeg_bytes()).decode()}
    turns = [{"role": "user", "content": [part]}]
    gpt.apply_chat_template(turns, tokenize=True)
    assert turns == [{"role": "user", "content": [part]}]
    assert "base64" in part


def test_an_unknown_part_is_named(gpt: FlamingoProcessor) -> None:
    with pytest.raises(Exception, match="of the type audio"):
        gpt.apply_chat_template([{"role": "user", "content": [{"type": "audio"}]}])


def test_answers_are_decoded_without_tags(processor: FlamingoProcessor) -> None:
    inputs = processor(text="<image>Output: a cat.<EOC>", images=CAT)
    (text,) = processor.post_process_image_text_to_text(inputs["input_ids"])
    assert text.strip() == "Output: a cat."


# Saving


class TinyConfig(PreTrainedConfig):
    model_type = "flamingo-processor-test"


@pytest.fixture
def registered() -> Iterator[None]:
    classes = {"pil": FlamingoImageProcessor, "torchvision": FlamingoImageProcessor}
    AutoImageProcessor.register(TinyConfig, image_processor_classes=classes, exist_ok=True)
    AutoProcessor.register(TinyConfig, FlamingoProcessor, exist_ok=True)
    yield
    for mapping in (IMAGE_PROCESSOR_MAPPING, PROCESSOR_MAPPING):
        mapping._extra_content.pop(TinyConfig, None)


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("loader", [FlamingoProcessor, AutoProcessor])
def test_saving_and_loading_change_nothing(
    processor: FlamingoProcessor, loader: Any, tmp_path: Path
) -> None:
    processor.tokenizer.backend_tokenizer.enable_truncation(2)
    processor.save_pretrained(tmp_path)
    loaded = loader.from_pretrained(tmp_path)
    assert type(loaded) is FlamingoProcessor
    assert loaded.chat_template == processor.chat_template
    assert loaded.image_processor.transform.size == 16
    assert len(loaded.tokenizer) == len(processor.tokenizer)
    text = ["<image>A cat.<EOC><video>", "a cat a cat"]
    arguments = {"text": text, "images": [[CAT], []], "videos": [[CLIP], []]}
    assert same(loaded(**arguments), processor(**arguments))


@pytest.mark.usefixtures("registered")
def test_own_tags_are_saved(tmp_path: Path) -> None:
    tags = {"image_tag": "[see]", "eoc_tag": "[end]", "image_as_text": True}
    processor = FlamingoProcessor(FlamingoImageProcessor(16), byte_level_bpe(), **tags)
    processor.save_pretrained(tmp_path)
    loaded = FlamingoProcessor.from_pretrained(tmp_path)
    assert loaded.apply_chat_template(SHOT) == f"{BOS}[see]Output: A cat.[end]{EOS}"
    inputs = loaded(text="[see]a", images=CAT)
    assert inputs["visual_index"].tolist() == [[0, *[1] * (len("[see]") + 1)]]


# The image half alone


def test_images_alone() -> None:
    image_processor = FlamingoImageProcessor(16, [0.5] * 3, [0.5] * 3)
    assert image_processor(CAT)["pixel_values"].shape == (1, 1, 1, 3, 16, 16)
    rows = image_processor([[CAT, DOG], [CAT]])
    assert rows["pixel_values"].shape == (2, 2, 1, 3, 16, 16)
    assert image_processor([CAT, DOG])["pixel_values"].shape == (2, 1, 1, 3, 16, 16)
    with pytest.raises(ConfigError, match="not a square"):
        FlamingoImageProcessor({"height": 16, "width": 32})


def test_the_encoder_of_a_processor_is_the_encoder_of_its_tokenizer(
    gpt: FlamingoProcessor,
) -> None:
    document = Interleaved.of(Visual.from_image(CAT), "a cat")
    ours = gpt.encoder()(document, is_complete=True)
    theirs = Encoder(prepare_tokenizer(gpt.tokenizer))(document, is_complete=True)
    assert ours.token_ids == theirs.token_ids
