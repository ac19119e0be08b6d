from __future__ import annotations

import pytest

from flamingo.foundation.errors import ConfigError
from flamingo.miniature.names import HELD_OUT_NAMES
from flamingo.miniature.questions import ATTRIBUTES
from flamingo.miniature.tasks import DEVELOPMENT_TASKS, HELD_OUT_TASKS, TASKS, task_named
from flamingo.prompting.few_shot import Example


def fingerprints(examples: tuple[Example, ...]) -> list[str]:
    return [visual.fingerprint() for example in examples for visual in example.visuals]


@pytest.fixture(params=TASKS)
def task(request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    if request.param.startswith("digits"):
        pytest.importorskip("sklearn")
    return TASKS[request.param]


def test_an_episode_is_a_function_of_its_numbers(task) -> None:  # type: ignore[no-untyped-def]
    first, second = task.build(3, 5, 4), task.build(3, 5, 4)
    assert fingerprints((*first.supports, first.query)) == fingerprints(
        (*second.supports, second.query)
    )
    assert task.prompt(first).text == task.prompt(second).text
    assert first.answer == second.answer


def test_the_query_is_not_among_the_supports(task) -> None:  # type: ignore[no-untyped-def]
    for index in range(5):
        episode = task.build(0, index, 8)
        seen = fingerprints(episode.supports)
        assert len(episode.supports) == 8
        assert len(set(seen)) == len(seen)
        assert not set(fingerprints((episode.query,))) & set(seen)
        assert task.template.answer not in episode.query.fields


def test_more_shots_keep_the_query_and_begin_with_the_fewer_shots(task) -> None:  # type: ignore[no-untyped-def]
    few, many = task.build(0, 1, 3), task.build(0, 1, 6)
    assert few.answer == many.answer
    assert few.candidates == many.candidates
    assert fingerprints((few.query,)) == fingerprints((many.query,))
    assert fingerprints(few.supports) == fingerprints(many.supports[:3])
    assert task.build(0, 1, 0).supports == ()


def test_the_answer_is_a_candidate_and_chance_is_their_share(task) -> None:  # type: ignore[no-untyped-def]
    episode = task.build(0, 2, 8)
    said = {example.fields[task.template.answer] for example in episode.supports}
    if episode.candidates:
        assert not task.is_open_ended
        assert episode.answer in episode.candidates
        assert said <= set(episode.candidates) or task.name.startswith(("rule-", "dialogue"))
        num_left = 8 if task.name == "dialogue" else len(episode.candidates)
        assert task.chance_at(0) == pytest.approx(1 / num_left)
        assert task.chance_at(4) >= task.chance_at(0)
    else:
        assert task.is_open_ended
        assert task.chance_at(0) == 0


def test_a_rule_chooses_among_what_is_true_of_its_picture_and_of_two_others() -> None:
    fields = ("color", "shape", "size", "texture", "background")
    for position, field in enumerate(fields):
        episode = TASKS[f"rule-{field}"].build(0, 3, 4)
        assert episode.answer == episode.candidates[position]
        assert len(set(episode.candidates)) == 15
        values = {TASKS[f"rule-{field}"].build(0, index, 0).answer for index in range(40)}
        assert len(values & set(episode.candidates)) == 3
        assert TASKS[f"rule-{field}"].chance_at(0) == pytest.approx(1 / 15)
        assert TASKS[f"rule-{field}"].chance_at(1) == pytest.approx(1 / 3)


def test_every_class_has_its_share_of_the_shots() -> None:
    for name in ("new-word-5", "glyphs-5"):
        episode = TASKS[name].build(0, 0, 10)
        said = [example.fields["output"] for example in episode.supports]
        assert all(said.count(candidate) == 2 for candidate in episode.candidates)
        assert set(episode.candidates) <= set(HELD_OUT_NAMES)


def test_a_count_is_chosen_among_what_is_true_of_all_things() -> None:
    episode = TASKS["rule-count"].build(0, 3, 4)
    assert episode.answer == episode.candidates[3]
    assert len(set(episode.candidates)) == 12


def test_neither_claim_nor_picture_tells_whether_it_is_true() -> None:
    by_text: dict[str, set[str]] = {}
    answers = []
    for index in range(400):
        one = TASKS["claim"].build(0, index, 0)
        by_text.setdefault(one.query.fields["text"], set()).add(one.answer)
        answers.append(one.answer)
    assert 150 < answers.count("yes") < 250
    assert sum(len(said) == 2 for said in by_text.values()) > len(by_text) / 2


def test_a_dialogue_names_its_thing_once_and_ranks_all_values_of_what_is_asked() -> None:
    for index in range(30):
        episode = TASKS["dialogue"].build(0, index, 1)
        assert episode.query.fields["question"].endswith("is it?")
        assert " is it" not in episode.query.fields["dialogue"].split(" Answer:")[0]
        field = episode.query.fields["question"].split()[1]
        assert field in ("color", "shape")
        assert set(ATTRIBUTES[field]) <= set(episode.candidates)


def test_copying_a_caption_from_the_shots_is_worth_what_chance_says() -> None:
    task, num_right = TASKS["caption"], 0
    for index in range(400):
        episode = task.build(0, index, 1)
        num_right += episode.supports[0].fields["output"] == episode.answer
    assert num_right / 400 == pytest.approx(task.chance_at(1), abs=0.05)


def test_clips_of_captions_show_changes_too() -> None:
    captions = {TASKS["clip-caption"].build(0, index, 0).answer for index in range(200)}
    for words in (" turns into a ", " turns ", " then a ", " moves "):
        assert any(words in caption for caption in captions)


def test_signs_show_held_out_names() -> None:
    episode = TASKS["sign"].build(0, 0, 8)
    said = {example.fields["answer"] for example in episode.supports}
    assert said <= set(HELD_OUT_NAMES)
    assert len(said) > 4


def test_each_task_is_on_one_side() -> None:
    assert set(DEVELOPMENT_TASKS) | set(HELD_OUT_TASKS) == set(TASKS)
    assert not set(DEVELOPMENT_TASKS) & set(HELD_OUT_TASKS)


def test_a_wrong_name_lists_the_right_ones() -> None:
    with pytest.raises(ConfigError, match=r"no miniature task named 'captions'.*'caption'"):
        task_named("captions")
