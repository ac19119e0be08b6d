"""Candidates scored on a shared prompt get the likelihoods of the plain computation."""

from __future__ import annotations

import pytest
import torch

from flamingo.foundation.errors import SequenceError
from flamingo.inference.scoring import score_candidates
from tests.families import FAMILIES
from tests.tiny import inputs, tiny_flamingo

CANDIDATES = [[5], [5, 6, 7], [9, 4], [51], [8, 8, 8, 51]]


@pytest.mark.parametrize("family", FAMILIES)
def test_shared_scores_equal_plain_ones(family: str) -> None:
    model, prompt = tiny_flamingo(family), inputs(batch=1)
    shared = score_candidates(model, prompt, CANDIDATES)
    for candidate, score in zip(CANDIDATES, shared, strict=True):
        tokens = torch.tensor([candidate])
        whole = {
            "input_ids": torch.cat([prompt["input_ids"], tokens], 1),
            "visual_index": torch.cat(
                [prompt["visual_index"], prompt["visual_index"][:, -1:].expand(1, len(candidate))],
                1,
            ),
            "pixel_values": prompt["pixel_values"],
        }
        with torch.no_grad():
            logits = model(**whole).logits[0, -len(candidate) - 1 : -1].log_softmax(-1)
        plain = float(logits.gather(1, tokens.T).sum())
        assert score == pytest.approx(plain, abs=2e-4)


def test_left_padding_does_not_change_a_score() -> None:
    model, prompt = tiny_flamingo(), inputs(batch=1)
    padded = {
        name: torch.nn.functional.pad(value, (3, 0), value=2 if name == "input_ids" else 0)
        if value.dim() == 2
        else value
        for name, value in prompt.items()
    }
    plain = score_candidates(model, prompt, CANDIDATES)
    assert score_candidates(model, padded, CANDIDATES) == pytest.approx(plain, abs=1e-4)


def test_visuals_are_encoded_once_for_all_candidates() -> None:
    model, prompt = tiny_flamingo(), inputs(batch=1)
    encoded: list[int] = []
    model.vision_encoder.register_forward_hook(lambda m, a, out: encoded.append(len(out)))
    score_candidates(model, prompt, CANDIDATES)
    assert sum(encoded) == 2


@pytest.mark.parametrize(
    ("rows", "candidates", "message"),
    [
        (2, CANDIDATES, "for one prompt at a time, not for 2"),
        (1, [], "no candidates to score"),
        (1, [[3], []], "Candidate number 1 has no token"),
    ],
)
def test_impossible_questions(rows: int, candidates: list[list[int]], message: str) -> None:
    with pytest.raises(SequenceError, match=message):
        score_candidates(tiny_flamingo(), inputs(batch=rows), candidates)
