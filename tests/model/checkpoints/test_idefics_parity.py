"""An IDEFICS checkpoint computes here what it computes in transformers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import IdeficsForVisionText2Text

from flamingo.model.flamingo import FlamingoForConditionalGeneration
from tests.model.checkpoints.idefics_checkpoints import (
    BEGIN,
    END,
    END_OF_UTTERANCE,
    FAKE,
    IMAGE,
    PAD,
    RELEASED,
    VOCABULARY,
    write_checkpoint,
)
from tests.model.checkpoints.parity_prompts import Prompts, prompts

CASES = {
    "one image": ["bfifwwww"],
    "several images": ["bfifwwwfifwwfifww"],
    "images in a row": ["bfifififwwfififww"],
    "text before the first image": ["bwwwfifwwfifww"],
    "a document after another": ["bwfifwwewwwfifww"],
    "no image": ["bwwwww", "bww"],
    "ragged": ["bfifww", "bwwfifwwfififww", "bwww", "bfifwwwefifww"],
}
"""b begins a document and e ends one; f stands around images."""

LETTERS = {"f": FAKE, "i": IMAGE, "b": BEGIN, "e": END}
DECODINGS: dict[str, dict[str, Any]] = {
    "greedy": {},
    "beams": {"num_beams": 3, "length_penalty": 0.0},
}
TOKEN_CASES = [
    ("several images", "greedy"),
    ("no image", "beams"),
    ("ragged", "greedy"),
    ("ragged", "beams"),
]
FIXED: dict[str, Any] = {
    "max_new_tokens": 8,
    "do_sample": False,
    "suppress_tokens": [FAKE, IMAGE],
    "pad_token_id": PAD,
}


@dataclass(frozen=True)
class Pair:
    """The same weights twice: in transformers' model, and loaded into ours."""

    theirs: IdeficsForVisionText2Text
    ours: FlamingoForConditionalGeneration

    @property
    def num_columns(self) -> int:
        """Tokens that their model predicts, the additional ones included."""
        return VOCABULARY + int(self.theirs.config.additional_vocab_size)

    def say(self, given: Prompts, **how: Any) -> tuple[list[list[int]], list[list[int]]]:
        """The tokens of their model and ours, asked for in the same way."""
        theirs = self.theirs.generate(**given.for_idefics(), **FIXED, **how)
        ours = self.ours.generate(**given.for_ours(), **FIXED, **how)
        return theirs.tolist(), ours.tolist()


def batch(case: str) -> Prompts:
    words = range(3, VOCABULARY)
    return prompts(CASES[case], LETTERS, words=words, pad=PAD, ends_document="e")


@pytest.fixture(scope="module", params=RELEASED)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("idefics")
    theirs = write_checkpoint(folder, **RELEASED[request.param])
    return Pair(theirs, FlamingoForConditionalGeneration.from_pretrained(folder))


@pytest.mark.parametrize("case", CASES)
@torch.no_grad()
def test_logits_are_equal(pair: Pair, case: str) -> None:
    given = batch(case)
    theirs = pair.theirs(**given.for_idefics()).logits[given.is_text]
    ours = pair.ours(**given.for_ours()).logits[given.is_text]
    assert ours.shape[-1] == theirs.shape[-1] == pair.num_columns
    assert theirs.std() > 0.1
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("case", "decoding"), TOKEN_CASES)
def test_tokens_are_equal(pair: Pair, case: str, decoding: str) -> None:
    theirs, ours = pair.say(batch(case), eos_token_id=[END], **DECODINGS[decoding])
    assert ours == theirs


@pytest.mark.parametrize("decoding", DECODINGS)
def test_answers_end_at_the_same_token(pair: Pair, decoding: str) -> None:
    given, how = batch("ragged"), DECODINGS[decoding]
    inputs = given.for_idefics()
    endless = pair.theirs.generate(**inputs, **FIXED, eos_token_id=[END], **how).tolist()
    stops = [END, endless[0][-7], endless[1][-5]]
    theirs, ours = pair.say(given, eos_token_id=stops, **how)
    assert theirs != endless
    assert ours == theirs


@torch.no_grad()
def test_the_end_of_an_utterance_is_read_and_written(tmp_path: Path) -> None:
    theirs = write_checkpoint(tmp_path, **RELEASED["9B instruct"])
    ours = FlamingoForConditionalGeneration.from_pretrained(tmp_path)
    letters = {**LETTERS, "u": END_OF_UTTERANCE}
    given = prompts(["bwfifwuwwu"], letters, words=range(3, VOCABULARY), pad=PAD)
    theirs_say = theirs(**given.for_idefics()).logits
    ours_say = ours(**given.for_ours()).logits
    torch.testing.assert_close(ours_say, theirs_say, rtol=0, atol=1e-5)
    assert theirs_say[..., END_OF_UTTERANCE].std() > 0.1


@torch.no_grad()
def test_the_comparison_sees_images_and_gates(pair: Pair) -> None:
    given = batch("ragged")
    ours, blank = pair.ours(**given.for_ours()).logits, given.for_idefics()
    blank["pixel_values"] = torch.zeros_like(blank["pixel_values"])
    sees = (given.visual_index > 0) & given.is_text
    changed = (pair.theirs(**blank).logits - ours).abs().amax(-1) > 1e-3
    assert changed[sees].all()
    for gate in ("alpha_cross_attn", "alpha_dense"):
        alphas = [value for name, value in pair.theirs.named_parameters() if gate in name]
        kept = [alpha.clone() for alpha in alphas]
        for alpha in alphas:
            alpha.zero_()
        changed = (pair.theirs(**given.for_idefics()).logits - ours).abs().amax(-1) > 1e-3
        for alpha, value in zip(alphas, kept, strict=True):
            alpha.copy_(value)
        assert changed[sees].all()


def test_norms_have_the_constants_of_the_settings(tmp_path: Path) -> None:
    """In the logits of models this small some of these would be lost in rounding."""
    theirs = write_checkpoint(tmp_path, rms_norm_eps=3e-5)
    ours = FlamingoForConditionalGeneration.from_pretrained(tmp_path)
    constants = {
        name: getattr(module, "eps", getattr(module, "variance_epsilon", None))
        for name, module in ours.named_modules()
        if "Norm" in type(module).__name__
    }
    expected = {True: theirs.config.rms_norm_eps, False: 1e-5}
    assert len(constants) > 40
    for name, constant in constants.items():
        is_rms = name.startswith(("gated_xattn_dense", "language_model"))
        assert constant == expected[is_rms], name


@torch.no_grad()
def test_what_old_files_hold_changes_nothing(tmp_path: Path) -> None:
    theirs = write_checkpoint(tmp_path, is_legacy=True)
    ours, given = FlamingoForConditionalGeneration.from_pretrained(tmp_path), batch("ragged")
    expected = theirs(**given.for_idefics()).logits[given.is_text]
    found = ours(**given.for_ours()).logits[given.is_text]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
