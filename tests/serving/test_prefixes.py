"""The beginning of a prompt is read once, also where a conversation goes on."""

from __future__ import annotations

import pytest
import torch

from flamingo.sequence import END_OF_CHUNK, Interleaved
from flamingo.serving.prefixes import Prefixes
from tests.serving.jobs_for_tests import episode, predictor, request


def chunks(shots: int) -> list[Interleaved]:
    asked = request(0, shots)
    return [
        type(asked)(asked.query, (support,), asked.template).support_prompt()
        for support in asked.supports
    ]


def prefixes(most_bytes: int = 2**30) -> Prefixes:
    return Prefixes(predictor().inputs, predictor().remembered().memory, most_bytes)


def logits(kept: Prefixes, before: Interleaved, query: Interleaved) -> torch.Tensor:
    after = kept.of(before).supports
    [reading] = predictor().inputs.readings([query], None, 1, [after])
    with torch.no_grad():
        found: torch.Tensor = (
            predictor()
            .model(**reading.inputs, past_key_values=reading.cache, logits_to_keep=1)
            .logits
        )
    return found[0, -1]


def test_a_longer_conversation_goes_on_from_a_shorter_one() -> None:
    kept, turns = prefixes(), chunks(5)
    first = kept.of(Interleaved.of(*turns[:2]))
    assert first.num_known == 0
    assert first.supports is not None
    second = kept.of(Interleaved.of(*turns))
    assert second.num_known == len(first.supports)
    assert kept.of(Interleaved.of(*turns)).num_known == len(second.supports or ())
    query = request(0, 5).query_prompt()
    whole = logits(prefixes(), Interleaved.of(*turns), query)
    torch.testing.assert_close(
        logits(kept, Interleaved.of(*turns), query), whole, atol=1e-4, rtol=1e-4
    )


def test_other_beginnings_are_other_ones() -> None:
    kept, turns = prefixes(), chunks(4)
    kept.of(Interleaved.of(*turns[:2]))
    assert kept.of(Interleaved.of(turns[1], turns[0])).num_known == 0
    assert kept.of(Interleaved.of(turns[0], turns[2])).num_known == 0
    assert len(kept) == 3
    text = Interleaved.of("A text.", END_OF_CHUNK)
    assert kept.of(text).num_known == 0
    assert kept.of(text + turns[0]).num_known > 0


def test_nothing_is_kept_above_the_budget() -> None:
    kept = prefixes(0)
    before = Interleaved.of(*chunks(2))
    assert kept.of(before).num_known == 0
    assert kept.of(before).num_known == 0
    assert len(kept) == 0
    assert kept.num_bytes == 0


def test_no_beginning() -> None:
    assert prefixes().of(Interleaved()).supports is None
    assert episode(0, 1).supports


@pytest.mark.parametrize("closed", [True, False])
def test_a_visual_alone_is_a_beginning_too(closed: bool) -> None:
    visual = episode(0, 1).query.visuals[0]
    before = Interleaved.of(visual, "A word.", END_OF_CHUNK) if closed else Interleaved.of(visual)
    kept = prefixes()
    assert kept.of(before).num_known == 0
    assert kept.of(before).num_known > 0
