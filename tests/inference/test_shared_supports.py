"""A predictor reads supports once, however many queries share them, and keeps them on disk."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from flamingo import Example, Interleaved, Predictor, Request, Template
from flamingo.foundation.errors import DataError, SequenceError
from flamingo.inference.remembered import Budgets
from flamingo.inference.support_cache import SupportCache
from tests.tiny_predictor import tiny_predictor

CHOICES = ("red circle", "blue star", "dax")


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (20, 30, 3), dtype=np.uint8)


SUPPORTS = [(picture(1), "red circle"), (picture(2), "blue star")]
OTHERS = [(picture(7), "green heart")]


@pytest.fixture
def predictor() -> Predictor:
    return tiny_predictor()


def answers(predictor: Predictor, requests: list[Request]) -> list[tuple[str, float]]:
    found = predictor.answer_all(requests, max_new_tokens=4)
    return [(one.text, pytest.approx(one.score, abs=1e-4)) for one in found]


def plain_answers(requests: list[Request]) -> list[tuple[str, float]]:
    """Without anything that was read before."""
    bare = tiny_predictor()
    found = []
    for request in requests:
        prompts = [request.prompt()]
        if request.choices:
            found += bare.choose_all(prompts, [request.choices], request.template)
        else:
            found += bare.complete(prompts, max_new_tokens=4)
    return [(one.text, one.score) for one in found]


def requests() -> list[Request]:
    """Of two support sets and of none, open and closed, in disorder."""
    return [
        Request.of(picture(3), supports=SUPPORTS),
        Request.of(picture(4), supports=SUPPORTS, choices=CHOICES),
        Request.of(picture(5), supports=OTHERS),
        Request.of(picture(6), supports=SUPPORTS),
        Request.of(picture(3)),
        Request.of(picture(5), supports=SUPPORTS, choices=CHOICES),
        Request.of(picture(9), supports=OTHERS),
        Request.of(picture(4), text_examples=[{"output": "a dax"}, {"output": "a wug"}]),
    ]


def test_answers_are_those_of_whole_prompts(predictor: Predictor) -> None:
    assert answers(predictor, requests()) == plain_answers(requests())


def test_shared_supports_are_read_once(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    whole = SupportCache.read_all.__func__  # type: ignore[attr-defined]

    def counted(
        cls: type[SupportCache], model: Any, inputs: Any, num_visuals: Any, *others: Any
    ) -> list[SupportCache]:
        read.extend(num_visuals)
        found: list[SupportCache] = whole(cls, model, inputs, num_visuals, *others)
        return found

    monkeypatch.setattr(SupportCache, "read_all", classmethod(counted))
    encoded: list[int] = []
    predictor.model.vision_encoder.register_forward_hook(lambda m, a, o: encoded.append(len(o)))
    predictor.answer_all(requests(), max_new_tokens=2)
    # The zero-shot examples come once: they are read with their query.
    assert read == [2, 1]
    # Pictures 1 to 7 and 9; those that come again are known.
    assert sum(encoded) == 8
    predictor.answer_all(requests(), max_new_tokens=2)
    assert read == [2, 1]
    assert sum(encoded) == 8
    # Alone, as if others with these supports would follow.
    for seed in (3, 4):
        predictor.answer(picture(seed), supports=[(picture(11), "a dax")], max_new_tokens=2)
    assert read == [2, 1, 1]


def test_supports_that_were_read_stand_for_themselves(predictor: Predictor) -> None:
    shots = predictor.read(SUPPORTS)
    given = [Request.of(picture(n), supports=shots, choices=c) for n, c in ((3, ()), (4, CHOICES))]
    whole = [
        Request.of(picture(n), supports=SUPPORTS, choices=c) for n, c in ((3, ()), (4, CHOICES))
    ]
    assert answers(predictor, given) == plain_answers(whole)
    assert (
        predictor.answer(picture(3), supports=shots, max_new_tokens=4).text
        == answers(predictor, given[:1])[0][0]
    )


def test_questions_are_asked_in_the_form_of_the_supports(predictor: Predictor) -> None:
    shots = predictor.read([(picture(1), "what color?", "red"), (picture(2), "what?", "a star")])
    assert shots.template.prefix == "Question: {question} Answer:"
    given = Request.of(picture(3), supports=shots, question="what shape?")
    whole = Request.of(
        picture(3),
        supports=[(picture(1), "what color?", "red"), (picture(2), "what?", "a star")],
        question="what shape?",
    )
    assert answers(predictor, [given]) == plain_answers([whole])


def test_no_budget_means_that_nothing_is_kept() -> None:
    bare = tiny_predictor()
    none = Predictor(bare.model, bare.processor, Budgets(visual_bytes=0, support_bytes=0))
    assert answers(none, requests()) == plain_answers(requests())


def test_the_least_recently_used_set_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tiny_predictor()
    sets = {
        name: [(picture(1), f"red {name}"), (picture(2), f"blue {name}")]
        for name in ("star", "moon", "bell")
    }
    sizes = sorted(bare.read(own).nbytes for own in sets.values())
    predictor = Predictor(bare.model, bare.processor, Budgets(support_bytes=sum(sizes[1:])))
    read: list[str] = []
    whole = predictor.inputs.supports
    monkeypatch.setattr(
        predictor.inputs, "supports", lambda p, *a: (read.append(p.text), whole(p, *a))[1]
    )
    for name in ("star", "moon", "star", "bell", "star", "moon"):
        predictor.answer(picture(3), supports=sets[name], max_new_tokens=1)
    names = [re.findall("star|moon|bell", text)[0] for text in read]
    assert names == ["star", "moon", "bell", "moon"]


def test_other_weights_give_other_answers(predictor: Predictor) -> None:
    shots = predictor.read(SUPPORTS)
    before = predictor.answer(picture(3), supports=SUPPORTS, choices=CHOICES)
    with torch.no_grad():
        predictor.model.resampler.latents.mul_(-2)
    after = predictor.answer(picture(3), supports=SUPPORTS, choices=CHOICES)
    fresh = Predictor(predictor.model, predictor.processor)
    prompt = Request.of(picture(3), supports=SUPPORTS).prompt()
    assert after.score == pytest.approx(fresh.choose(prompt, CHOICES).score, abs=1e-4)
    assert after.score != pytest.approx(before.score, abs=1e-4)
    with pytest.raises(SequenceError, match="read with other weights"):
        predictor.answer(picture(3), supports=shots)


def test_supports_outlive_the_process(predictor: Predictor, tmp_path: Path) -> None:
    shots, path = predictor.read(SUPPORTS), tmp_path / "shots" / "two.safetensors"
    predictor.save_supports(shots, path)
    again = tiny_predictor()
    loaded = again.load_supports(path)
    assert loaded.template == shots.template
    assert loaded.nbytes == shots.nbytes
    given = [Request.of(picture(3), supports=loaded), Request.of(picture(4), supports=loaded)]
    whole = [Request.of(picture(n), supports=SUPPORTS) for n in (3, 4)]
    assert answers(again, given) == plain_answers(whole)
    assert [one.name for one in path.parent.iterdir()] == ["two.safetensors"]


def test_a_file_that_is_not_whole_or_of_another_model_is_refused(
    predictor: Predictor, tmp_path: Path
) -> None:
    path = tmp_path / "two.safetensors"
    with pytest.raises(DataError, match="There is no file"):
        predictor.load_supports(path)
    predictor.save_supports(predictor.read(SUPPORTS), path)
    content = path.read_bytes()
    with torch.no_grad():
        predictor.model.resampler.latents.mul_(2)
    with pytest.raises(DataError, match="was read by another model"):
        predictor.load_supports(path)
    path.write_bytes(content[:-100])
    with pytest.raises(DataError, match="is not a whole support set"):
        predictor.load_supports(path)


def test_damage_that_leaves_the_form_is_noticed(predictor: Predictor, tmp_path: Path) -> None:
    path = tmp_path / "two.safetensors"
    predictor.save_supports(predictor.read(SUPPORTS), path)
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    name = next(iter(tensors))
    save_file({**tensors, name: -tensors[name]}, path, metadata)
    with pytest.raises(DataError, match="checksum"):
        predictor.load_supports(path)
    about = metadata["supports"].replace('"num_visuals": 2', '"num_visuals": 1')
    save_file(tensors, path, {**metadata, "supports": about})
    with pytest.raises(DataError, match="checksum"):
        predictor.load_supports(path)


def test_a_model_that_reads_otherwise_is_another_model(
    predictor: Predictor, tmp_path: Path
) -> None:
    path = tmp_path / "two.safetensors"
    predictor.save_supports(predictor.read(SUPPORTS), path)
    predictor.model.config.sees = "all_previous"
    with pytest.raises(DataError, match="with other settings"):
        predictor.load_supports(path)


def test_a_question_without_a_place_is_not_dropped(predictor: Predictor) -> None:
    shots = predictor.read(SUPPORTS)
    with pytest.raises(SequenceError, match=r"'what color.' has no place in the template"):
        predictor.answer(picture(3), supports=shots, question="what color?")


def test_a_query_without_a_word_reads_the_supports_last_token(predictor: Predictor) -> None:
    bare = Template("", "output")
    texts = [Example((), {"output": "a dax"}), Example((), {"output": "a wug"})]
    shots = predictor.read(texts, template=bare)
    query = Example((), {})
    given = Request.of(query, supports=shots)
    whole = Request.of(query, supports=texts, template=bare)
    assert answers(predictor, [given]) == plain_answers([whole])


def test_impossible_numbers_are_named(predictor: Predictor) -> None:
    with pytest.raises(SequenceError, match="batch_size is 0 and num_beams is 3"):
        predictor.answer_all([], batch_size=0)


def test_what_was_forgotten_is_seen_anew(predictor: Predictor) -> None:
    predictor.answer(picture(3), supports=SUPPORTS)
    assert len(predictor.remembered().supports) == 1
    predictor.forget()
    assert len(predictor.remembered().supports) == 0


def test_nothing_to_read_is_an_error(predictor: Predictor) -> None:
    with pytest.raises(SequenceError, match="no support to read"):
        predictor.read([])


def test_visual_tokens_are_found_by_later_processes(tmp_path: Path) -> None:
    bare = tiny_predictor()
    given = requests()
    expected = plain_answers(given)
    for num_encoded in (8, 0):
        predictor = Predictor(bare.model, bare.processor, Budgets(visual_cache=tmp_path))
        memory = predictor.remembered().memory
        assert answers(predictor, given) == expected
        assert memory.num_encoded == num_encoded


def test_a_batch_behind_supports_may_be_cut(predictor: Predictor) -> None:
    shots = predictor.read(SUPPORTS)
    texts = ["Output:", "word " * 80, "Output: a"]
    tails = [Interleaved.of(text) for text in texts]
    together = predictor.complete(tails, after=shots, num_beams=1, max_new_tokens=3)
    alone = [
        predictor.complete([tail], after=shots, num_beams=1, max_new_tokens=3)[0] for tail in tails
    ]
    assert [one.text for one in together] == [one.text for one in alone]
