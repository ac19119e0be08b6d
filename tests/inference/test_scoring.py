"""Candidates scored on a shared prompt get the likelihoods of the plain computation."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from flamingo.foundation.errors import SequenceError
from flamingo.inference import candidate_tree, scoring
from flamingo.inference.scoring import score_rows
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from tests.families import FAMILIES
from tests.tiny import inputs, tiny_flamingo

CANDIDATES = [[5], [5, 6, 7], [9, 4], [51], [8, 8, 8, 51]]


def score_candidates(
    model: FlamingoForConditionalGeneration,
    prompt: dict[str, Tensor],
    candidates: list[list[int]],
) -> list[float]:
    """Of one prompt."""
    (scores,) = score_rows(model, prompt, [candidates])
    return scores


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


def padded_rows(lengths: tuple[int, ...]) -> tuple[list[dict[str, Tensor]], dict[str, Tensor]]:
    """Prompts of other lengths one by one, and as one batch that is padded on the left."""
    alone, together = [], []
    width = max(lengths) * 4 + 4
    for number, visuals in enumerate(lengths):
        one = inputs(batch=1, num_visuals=visuals, seed=number)
        missing = width - one["input_ids"].shape[1]
        row = {
            name: F.pad(value, (missing, 0), value=2 if name == "input_ids" else 0)
            for name, value in one.items()
            if value.dim() == 2
        }
        empty = max(lengths) - visuals
        row["pixel_values"] = F.pad(one["pixel_values"], (0,) * 8 + (0, empty))
        alone.append(one)
        together.append(row)
    return alone, {name: torch.cat([row[name] for row in together]) for name in together[0]}


@pytest.mark.parametrize(
    ("family", "settings"),
    [
        ("llama", {}),
        ("lfm2", {}),
        ("qwen3_5", {}),
        ("gemma3", {}),
        ("llama", {"sees": "all_previous"}),
        ("llama", {"xattn_kind": "grafting"}),
    ],
)
def test_rows_with_candidates_of_their_own_score_as_each_alone(
    family: str, settings: dict[str, str]
) -> None:
    model = tiny_flamingo(family, **settings)
    alone, together = padded_rows((2, 3, 1))
    candidates = [CANDIDATES, [[7]], [[9, 4, 6], [8]]]
    scores = score_rows(model, together, candidates)
    for prompt, own, row in zip(alone, candidates, scores, strict=True):
        assert row == pytest.approx(score_candidates(model, prompt, own), abs=1e-5, rel=1e-5)


def test_a_row_without_a_visual_scores_as_alone() -> None:
    model, prompt = tiny_flamingo(), inputs(batch=1)
    blind = {**prompt, "visual_index": torch.zeros_like(prompt["visual_index"])}
    both = {name: torch.cat([prompt[name], blind[name]]) for name in prompt}
    scores = score_rows(model, both, [CANDIDATES, CANDIDATES])
    assert scores[0] == pytest.approx(score_candidates(model, prompt, CANDIDATES), abs=1e-5)
    text = {name: value for name, value in prompt.items() if name != "pixel_values"}
    text["visual_index"] = blind["visual_index"]
    assert scores[1] == pytest.approx(score_candidates(model, text, CANDIDATES), abs=1e-5)


def test_as_many_lists_as_prompts() -> None:
    with pytest.raises(SequenceError, match="There are 2 prompts, but candidates for 1"):
        score_rows(tiny_flamingo(), inputs(batch=2), [CANDIDATES])


def test_visuals_are_encoded_once_for_all_candidates() -> None:
    model, prompt = tiny_flamingo(), inputs(batch=1)
    encoded: list[int] = []
    model.vision_encoder.register_forward_hook(lambda m, a, out: encoded.append(len(out)))
    score_candidates(model, prompt, CANDIDATES)
    assert sum(encoded) == 2


@pytest.mark.parametrize(
    ("rows", "candidates", "message"),
    [
        (2, CANDIDATES, "There are 2 prompts, but candidates for 1"),
        (1, [], "no candidates to score"),
        (1, [[3], []], "Candidate number 1 has no token"),
    ],
)
def test_impossible_questions(rows: int, candidates: list[list[int]], message: str) -> None:
    with pytest.raises(SequenceError, match=message):
        score_candidates(tiny_flamingo(), inputs(batch=rows), candidates)


@pytest.mark.parametrize(
    ("family", "settings"),
    [
        ("llama", {}),
        ("lfm2", {}),
        ("qwen3_5", {}),
        ("gemma3", {}),
        ("llama", {"sees": "all_previous"}),
    ],
)
@pytest.mark.parametrize("tokens_at_once", [1, 60, 200])
def test_very_many_candidates_score_as_a_few(
    family: str, settings: dict[str, str], tokens_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny_flamingo(family, **settings)
    _, together = padded_rows((2, 1))
    many = [
        [[5], [5, 6], [5, 6, 7], [5, 6, 8], [9, 4, 4, 4], [51], [9, 4, 4, 51, 2], [8, 51], [5, 7]],
        [[5], [6], [6, 51], [7, 7, 7]],
    ]
    plain = score_rows(model, together, many)
    monkeypatch.setattr(scoring, "TOKENS_AT_ONCE", tokens_at_once)
    monkeypatch.setattr(candidate_tree, "_NODES_AT_ONCE", tokens_at_once // 20)
    for expected, found in zip(plain, score_rows(model, together, many), strict=True):
        assert found == pytest.approx(expected, abs=2e-4)


def shapes_read(
    monkeypatch: pytest.MonkeyPatch, model: FlamingoForConditionalGeneration
) -> list[tuple[int, int, int]]:
    """Of each pass from now on: its rows, its real tokens, and the length that it attends to."""
    read: list[tuple[int, int, int]] = []
    forward = type(model).forward

    def noted(self: object, *args: object, **kwargs: object) -> object:
        mask, ids = kwargs["attention_mask"], kwargs["input_ids"]
        own = mask[:, -ids.shape[1] :]  # type: ignore[index, union-attr]
        read.append((len(own), int(own.sum()), mask.shape[1]))  # type: ignore[union-attr]
        return forward(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(type(model), "forward", noted)
    return read


ROWS_ONLY = "mpt"
"""Knows distances and no positions, so each candidate has a row of its own."""

NAMES = [[5, 6, first, second, 51] for first in range(10, 20) for second in range(20, 30)]


def test_what_candidates_have_in_common_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_flamingo(ROWS_ONLY)
    read = shapes_read(monkeypatch, model)
    # A prompt of 12 tokens and 3 that are read of each name: too many for all at once.
    monkeypatch.setattr(scoring, "TOKENS_AT_ONCE", 100 * 15 - 1)
    score_candidates(model, inputs(batch=1), NAMES)
    # Two tokens of all, ten of ten each, and the last but one of a hundred; the prompt first.
    assert sum(tokens for _, tokens, _ in read[1:]) == 1 + 1 + 10 + 100


def test_while_all_candidates_fit_they_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_flamingo(ROWS_ONLY)
    read = shapes_read(monkeypatch, model)
    monkeypatch.setattr(scoring, "TOKENS_AT_ONCE", 100 * 20)
    score_candidates(model, inputs(batch=1), NAMES)
    assert read == [(1, 12, 12), (100, 400, 16)]


@pytest.mark.parametrize("num_visuals", [2, 8])
def test_the_longer_the_prompt_the_fewer_rows_at_once(
    num_visuals: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny_flamingo(ROWS_ONLY)
    read = shapes_read(monkeypatch, model)
    monkeypatch.setattr(scoring, "TOKENS_AT_ONCE", 500)
    score_candidates(model, inputs(batch=1, num_visuals=num_visuals), NAMES[::2])
    most = max(rows for rows, _, _ in read[1:])
    assert 1 < most <= 500 // (4 * num_visuals + 4 + 4)
    assert all(rows * (length + 4) <= 500 for rows, _, length in read[1:])


def test_single_tokens_need_no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_flamingo()
    read = shapes_read(monkeypatch, model)
    monkeypatch.setattr(scoring, "TOKENS_AT_ONCE", 1)
    score_candidates(model, inputs(batch=1), [[token] for token in range(40)])
    assert read == [(1, 12, 12)]
