"""The peers read the same prompts and do the same work; how fast they are is not tested."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from benchmarks import against_peers
from benchmarks.few_shot import numbered_words
from benchmarks.gpu_limits import decode_bytes
from benchmarks.peer_cases import (
    class_names,
    close_ended,
    decoding,
    gpu,
    other_supports,
    shared_supports,
)
from benchmarks.peers import SCALES, Peers, generate, idefics_inputs
from flamingo.model.flamingo import FlamingoForConditionalGeneration

KEYS = ["case", "ratio", "goal", "reached", "spread", "command"]
SCALE = SCALES["tiny"]


@pytest.fixture(scope="module")
def peers() -> Peers:
    return Peers(SCALE)


def test_all_cases_are_measured_and_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, document = tmp_path / "peers.json", tmp_path / "performance.md"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    # Other tests are not to lose their threads.
    monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)
    options = ["--sizes", "tiny", "--rounds", "1", "--json", str(file)]
    against_peers.main([*options, "--markdown", str(document)])
    records = json.loads(file.read_text(encoding="utf-8"))
    assert {one["case"].partition("/")[0] for one in records} == {*against_peers.GROUPS} - {"gpu"}
    for one in records:
        assert list(one)[: len(KEYS)] == KEYS
        low, high = one["spread"]
        assert low <= one["ratio"] <= high
        is_good = (one["ratio"] - one["goal"]) * (1 if one["is_higher_better"] else -1) >= 0
        assert one["reached"] is is_good
        assert one["command"].startswith("python -m benchmarks.against_peers --sizes tiny")
    by_name = {one["case"]: one for one in records}
    assert (by_name["beams/visuals"]["ours"], by_name["beams/visuals"]["peer"]) == (4, 12)
    said = capsys.readouterr()
    assert "no CUDA device" in said.err
    assert all(one["case"] in said.out for one in records)
    assert "| beams/visuals |" in document.read_text(encoding="utf-8")

    monkeypatch.setattr(sys, "argv", ["against_peers", *options, "--cases", "beams"])
    against_peers.main()
    again = json.loads(file.read_text(encoding="utf-8"))
    assert [one["case"] for one in again] == [one["case"] for one in records]
    for before, after in zip(records, again, strict=True):
        is_beams = before["case"].startswith("beams")
        assert after["command"].endswith("--cases beams") is is_beams
        assert (before == after) is not is_beams


def test_a_shot_has_as_many_tokens_as_are_said(peers: Peers) -> None:
    given = peers.few_shot_inputs(SCALE.shots)
    # `<BOS>`, the supports, and the query's picture with "Output:".
    assert given["input_ids"].shape == (1, 1 + SCALE.shots * SCALE.tokens_per_shot + 2)
    assert len(numbered_words(50)) == 50
    assert given["pixel_values"].shape[1] == SCALE.shots + 1
    assert torch.equal(given["input_ids"], peers.few_shot_inputs(SCALE.shots)["input_ids"])


def test_the_sides_are_of_one_size(peers: Peers) -> None:
    ours, theirs = (
        sum(value.numel() for value in model.parameters()) for model in (peers.ours, peers.idefics)
    )
    assert ours == pytest.approx(theirs, rel=0.01)
    models = (peers.ours, peers.idefics, peers.openflamingo)
    assert not any(model.training for model in models)
    assert not any(own.requires_grad for model in models for own in model.parameters())


def test_idefics_sees_what_ours_sees(peers: Peers) -> None:
    given = peers.few_shot_inputs(SCALE.shots)
    theirs = idefics_inputs(given)
    assert torch.equal(theirs["input_ids"], given["input_ids"])
    assert torch.equal(
        theirs["image_attention_mask"].argmax(-1) + theirs["image_attention_mask"].sum(-1),
        given["visual_index"],
    )
    # Its answer hangs on the last picture.
    with torch.no_grad():
        before = peers.idefics(**theirs).logits[:, -1]
        theirs["pixel_values"] = theirs["pixel_values"].clone()
        theirs["pixel_values"][:, -1] *= -1
        after = peers.idefics(**theirs).logits[:, -1]
    assert (before - after).abs().max() > 1e-4


def test_no_answer_ends_early(peers: Peers) -> None:
    given = peers.few_shot_inputs(SCALE.few_shots)
    length = given["input_ids"].shape[1]
    ours = generate(peers.ours, given, 20)
    assert torch.equal(ours, generate(peers.openflamingo, given, 20))
    theirs = generate(peers.idefics, idefics_inputs(given), 20)
    assert ours.shape == theirs.shape == (1, length + 20)
    ids = peers.predictor.encoder.prepared.ids
    ends = torch.tensor([ids.eoc, ids.eos, *ids.image])
    assert not torch.isin(torch.cat([ours, theirs])[:, length:], ends).any()


def test_a_stopwatch_counts_the_tokens_after_the_first(peers: Peers) -> None:
    watch = decoding.Stopwatch()
    given = peers.few_shot_inputs(SCALE.few_shots)
    generate(peers.ours, given, 4, stopping_criteria=[watch])
    assert len(watch.wall) == 4
    assert watch.per_token().wall_seconds > 0


def test_shared_supports_give_the_answers_of_each_alone(peers: Peers) -> None:
    requests = peers.prompts.requests(3, peers.prompts.supports(SCALE.shots))
    together = shared_supports.ours_shared(peers.predictor, requests, batch=2, new_tokens=4)
    alone = [
        peers.predictor.complete([request.prompt()], num_beams=1, max_new_tokens=4)[0]
        for request in requests
    ]
    assert [one.text for one in together] == [one.text for one in alone]


def test_idefics_reads_its_resamplers_output_as_it_reads_pictures(peers: Peers) -> None:
    pictures = idefics_inputs(peers.few_shot_inputs(SCALE.shots))
    encoded = other_supports.resampled(peers, pictures)
    assert torch.equal(generate(peers.idefics, pictures, 4), generate(peers.idefics, encoded, 4))


def test_a_loop_over_candidates_finds_the_same_scores(peers: Peers) -> None:
    choices = [peers.prompts.words(n + 1, "choice", n) for n in range(3)]
    request = peers.prompts.request(0, peers.prompts.supports(SCALE.shots), choices)
    inputs, candidates = close_ended.question_inputs(peers, request)
    assert [len(tokens) for tokens in candidates] == [2, 3, 4]
    looped = close_ended.loop(peers.ours, inputs, candidates)
    (answer,) = close_ended.ours_shared_choices(peers.predictor, [request])
    assert dict(answer.choices) == pytest.approx(dict(zip(choices, looped, strict=True)), abs=1e-4)
    assert len(close_ended.loop(peers.idefics, inputs, candidates, idefics_inputs)) == 3


def test_class_names_differ_and_share_their_beginnings() -> None:
    names = class_names.class_names(200, 100, end=101)
    assert len({tuple(name) for name in names}) == 200
    assert class_names.distinct_prefixes(names) < sum(len(name) - 1 for name in names)
    assert class_names.distinct_prefixes([[1, 2, 9], [1, 3, 9], [1, 9]]) == 3


def test_the_gpus_case_on_a_cpu(peers: Peers) -> None:
    def small() -> FlamingoForConditionalGeneration:
        return Peers(SCALE).ours.to(torch.bfloat16)

    cases = gpu.measure_models({"small": small}, SCALE, 1, device="cpu", extent=64)
    assert [one.case for one in cases] == ["gpu/small/decode", "gpu/small/prefill"]
    assert all(one.ratio > 0 for one in cases)
    assert "failed" not in cases[0].note
    tokens = decode_bytes(peers.ours, 10) - decode_bytes(peers.ours, 0)
    sizes = SCALE.sizes
    assert tokens == 10 * 2 * sizes.num_layers * sizes.dim * 4


def test_a_gpu_that_cannot_decode_at_all_is_an_error(peers: Peers) -> None:
    broken = replace(SCALE, steps=-5)
    with pytest.raises(RuntimeError, match="cannot decode here"):
        gpu.measure_models({"small": lambda: peers.ours}, broken, 1, device="cpu", extent=64)
