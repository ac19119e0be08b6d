from __future__ import annotations

from dataclasses import replace

import torch

from flamingo.data.encoding import Encoder
from flamingo.data.tokenizer import PreparedTokenizer, prepare_tokenizer
from flamingo.data.transforms import VisualTransform
from flamingo.miniature.documents import text_document
from flamingo.miniature.flamingo_data import Alignment, Clips, DrawnSource, Pages, Pairs
from flamingo.miniature.language_data import LanguageSource, TextStage
from flamingo.miniature.tokenizer import build_tokenizer


def language_source() -> LanguageSource:
    stages = (TextStage(2, 32, plain=0.5, glossaries=0.2, repeated=0.2), TextStage(1, 96))
    return LanguageSource(0, build_tokenizer(), tokens_per_batch=192, stages=stages)


def test_rows_of_text_start_with_bos_and_count_where_there_is_text() -> None:
    source = language_source()
    batch = source.batch(0)
    assert batch["input_ids"].shape == (6, 32)
    assert (batch["input_ids"][:, 0] == source.tokenizer.bos_token_id).all()
    is_empty = batch["input_ids"] == source.tokenizer.pad_token_id
    assert (batch["loss_weights"][is_empty] == 0).all()
    assert batch["loss_weights"][:, 0].sum() == 0
    assert (batch["loss_weights"][:, 1:] == ~is_empty[:, 1:]).all()


def test_words_that_stand_for_looks_weigh_less() -> None:
    source = replace(language_source(), look_weight=0.25)
    batch = source.batch(0)
    assert set(batch["loss_weights"].unique().tolist()) == {0.0, 0.25, 1.0}
    document = text_document(0, 0, 4, is_plain=True)
    start, end = document.look_spans[0]
    assert start == 0
    num_look_tokens = len(source.tokenizer(document.text[:end])["input_ids"])
    # A space at the end of the look may have become the first text token's own.
    assert (batch["loss_weights"][0, 1:num_look_tokens] == 0.25).all()
    assert batch["loss_weights"][0, num_look_tokens + 1] == 1.0


def test_long_rows_hold_as_many_tokens_as_short_ones() -> None:
    source = language_source()
    assert source.batch(1)["input_ids"].numel() == source.batch(2)["input_ids"].numel()
    assert source.batch(2)["input_ids"].shape == (2, 96)


def test_text_batches_are_functions_of_seed_and_step() -> None:
    source = language_source()
    assert torch.equal(source.batch(3)["input_ids"], source.batch(3)["input_ids"])
    other = replace(source, seed=1)
    assert not torch.equal(source.batch(0)["input_ids"], other.batch(0)["input_ids"])


def drawn(kind: str, prepared: PreparedTokenizer) -> DrawnSource:
    encoder = Encoder(prepared)
    encode = {
        "pages": Pages(encoder, next_share=0.5),
        "pairs": Pairs(encoder),
        "clips": Clips(encoder),
        "alignment": Alignment(encoder),
    }[kind]
    return DrawnSource(
        kind, 1.0, 0, 4, encode, VisualTransform(64), prepared.ids.pad, prepared.ids.eos
    )


def test_drawn_batches_have_the_shape_of_their_kind() -> None:
    prepared = prepare_tokenizer(build_tokenizer())
    shapes = {"pages": (4, 5, 1), "pairs": (4, 1, 1), "clips": (4, 3, 8), "alignment": (4, 1, 1)}
    for kind, shape in shapes.items():
        source = drawn(kind, prepared)
        batch, again = source.batch(2), source.batch(2)
        assert batch.pixel_values is not None
        assert again.pixel_values is not None
        assert batch.pixel_values.shape == (*shape, 3, 64, 64)
        assert torch.equal(batch.pixel_values, again.pixel_values)
        assert torch.equal(batch.input_ids, again.input_ids)


def test_some_pages_look_at_the_next_visual_and_some_at_the_previous() -> None:
    prepared = prepare_tokenizer(build_tokenizer())
    source = replace(drawn("pages", prepared), batch_size=16)
    batch = source.batch(0)
    image = torch.tensor(prepared.ids.image)
    # Two tokens after the first tag: text of the first visual, or already of the second.
    seen = {
        int(index[int((ids == image).nonzero()[0]) + 2])
        for ids, index in zip(batch.input_ids, batch.visual_index, strict=True)
    }
    assert seen == {1, 2}
