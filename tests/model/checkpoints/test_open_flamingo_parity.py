"""An OpenFlamingo checkpoint computes here what it computes in OpenFlamingo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from flamingo.model.flamingo import FlamingoForConditionalGeneration
from tests.model.checkpoints.open_flamingo_checkpoints import (
    END_OF_TEXT,
    EOC,
    IMAGE,
    NUM_TOKENS,
    PAD,
    RELEASED,
    ROWS,
    WRAPPINGS,
    Written,
    write_checkpoint,
)
from tests.model.checkpoints.open_flamingo_reference import OpenFlamingo
from tests.model.checkpoints.parity_prompts import CASES, Prompts, prompts

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
    "suppress_tokens": [IMAGE],
    "pad_token_id": PAD,
}


@dataclass(frozen=True)
class Pair:
    """The same weights twice: in the reference, and loaded into our model."""

    theirs: OpenFlamingo
    ours: FlamingoForConditionalGeneration

    @classmethod
    def of(cls, written: Written) -> Pair:
        theirs = OpenFlamingo(
            written.weights,
            written.family,
            written.language_model,
            written.vision_encoder,
            every=written.every,
            image_token_id=IMAGE,
        )
        return cls(theirs, load(written))

    def say(self, given: Prompts, **how: Any) -> tuple[list[list[int]], list[list[int]]]:
        """The tokens of the reference and ours, asked for in the same way."""
        theirs = self.theirs.generate(**given.for_open_flamingo(), **FIXED, **how)
        ours = self.ours.generate(**given.for_ours(), **FIXED, **how)
        return theirs.tolist(), ours.tolist()


def load(written: Written) -> FlamingoForConditionalGeneration:
    return FlamingoForConditionalGeneration.from_pretrained(
        written.folder,
        language_model=written.language_model,
        vision_encoder=written.vision_encoder,
    )


def batch(case: str, seed: int = 0) -> Prompts:
    words = range(3, NUM_TOKENS - 1)
    return prompts(CASES[case], {"i": IMAGE}, words=words, pad=PAD, seed=seed)


@pytest.fixture(scope="module", params=["3B", "4B", "9B", "v1", "OPT"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return Pair.of(write_checkpoint(tmp_path_factory.mktemp("release"), **RELEASED[request.param]))


@pytest.mark.parametrize("case", CASES)
@torch.no_grad()
def test_logits_are_equal(pair: Pair, case: str) -> None:
    given = batch(case)
    theirs = pair.theirs.logits(**given.for_open_flamingo())[given.is_text]
    ours = pair.ours(**given.for_ours()).logits[given.is_text]
    assert ours.shape[-1] == ROWS
    assert theirs.std() > 0.1
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("case", "decoding"), TOKEN_CASES)
def test_tokens_are_equal(pair: Pair, case: str, decoding: str) -> None:
    theirs, ours = pair.say(batch(case), eos_token_id=[END_OF_TEXT], **DECODINGS[decoding])
    assert ours == theirs


@pytest.mark.parametrize("decoding", DECODINGS)
def test_answers_end_at_the_same_token(pair: Pair, decoding: str) -> None:
    given, how = batch("ragged"), DECODINGS[decoding]
    inputs = given.for_open_flamingo()
    endless = pair.theirs.generate(**inputs, **FIXED, eos_token_id=[END_OF_TEXT], **how).tolist()
    stops = [EOC, endless[0][-7], endless[2][-5]]
    theirs, ours = pair.say(given, eos_token_id=stops, **how)
    assert theirs != endless
    assert ours == theirs


@torch.no_grad()
def test_the_comparison_sees_images_and_gates(pair: Pair) -> None:
    given = batch("ragged")
    ours, blank = pair.ours(**given.for_ours()).logits, given.for_open_flamingo()
    blank["vision_x"] = torch.zeros_like(blank["vision_x"])
    sees = (given.visual_index > 0) & given.is_text
    changed = (pair.theirs.logits(**blank) - ours).abs().amax(-1) > 1e-3
    assert changed[sees].all()
    assert not changed[given.is_text & ~sees].any()
    kept = dict(pair.theirs.weights)
    for gate in ("attn_gate", "ff_gate"):
        closed = {n: 0 * v if n.endswith(gate) else v for n, v in kept.items()}
        pair.theirs.weights.update(closed)
        changed = (pair.theirs.logits(**given.for_open_flamingo()) - ours).abs().amax(-1) > 1e-3
        pair.theirs.weights.update(kept)
        assert changed[sees].all()
        # A closed gate of attention changes nothing where there was nothing to see.
        unseeing = changed[given.is_text & ~sees]
        assert unseeing.all() if gate == "ff_gate" else not unseeing.any()


def test_norms_have_the_constant_of_the_code(pair: Pair) -> None:
    """In the logits of models this small some of these would be lost in rounding."""
    constants = {
        name: getattr(module, "eps", None)
        for name, module in pair.ours.named_modules()
        if "Norm" in type(module).__name__ and not name.startswith("language_model")
    }
    assert len(constants) > 10
    assert set(constants.values()) == {1e-5}


@pytest.mark.parametrize("release", [name for name in RELEASED if "head" in name])
@torch.no_grad()
def test_the_head_of_a_file_decides(release: str, tmp_path: Path) -> None:
    pair, given = Pair.of(write_checkpoint(tmp_path, **RELEASED[release])), batch("ragged")
    theirs = pair.theirs.logits(**given.for_open_flamingo())[given.is_text]
    ours = pair.ours(**given.for_ours()).logits[given.is_text]
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("release", "wrapping"), [("4B", "fsdp"), *(("v1", w) for w in WRAPPINGS)])
@torch.no_grad()
def test_wrappers_and_doubles_change_nothing(release: str, wrapping: str, tmp_path: Path) -> None:
    written = write_checkpoint(
        tmp_path,
        **RELEASED[release],
        wrapping=wrapping,
        is_training_state=wrapping != "fsdp",
        with_doubles=True,
    )
    pair, given = Pair.of(written), batch("ragged")
    theirs = pair.theirs.logits(**given.for_open_flamingo())[given.is_text]
    ours = pair.ours(**given.for_ours()).logits[given.is_text]
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
