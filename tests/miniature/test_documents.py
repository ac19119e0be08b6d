from __future__ import annotations

import re
from itertools import pairwise

import pytest

from flamingo.foundation.randomness import generator
from flamingo.miniature.descriptions import describe, random_style
from flamingo.miniature.documents import LISTS, list_document, page_document, text_document
from flamingo.miniature.episode import Episode
from flamingo.miniature.episodes import NUM_ALPHABETS, RULE_FIELDS
from flamingo.miniature.handwriting_tasks import FIRST_UNSEEN_ALPHABET
from flamingo.miniature.kinds import PAGES, TEXTS, training_episode
from flamingo.miniature.looks import Character, Look, any_look, scene_of
from flamingo.miniature.names import HELD_OUT_NAMES
from flamingo.miniature.questions import TOPICS
from flamingo.miniature.scene import BACKGROUNDS, HELD_OUT_PAIRS, TEXTURES, Succession, Thing
from flamingo.miniature.signs import Sign
from flamingo.miniature.vocabulary import PLURALS
from flamingo.sequence import Visual

WORD = re.compile(r"\w+")
RUN = re.compile(r"[\w ]+")


def held_out_pairs_in(text: str) -> list[tuple[str, str]]:
    singular = {plural: shape for shape, plural in PLURALS.items()}
    runs = ([singular.get(word, word) for word in run.split()] for run in RUN.findall(text))
    return [pair for run in runs for pair in pairwise(run) if pair in HELD_OUT_PAIRS]


def test_no_training_text_holds_a_held_out_pair_or_name() -> None:
    held_out = set(HELD_OUT_NAMES)
    assert held_out_pairs_in("a small " + " ".join(next(iter(HELD_OUT_PAIRS))))
    texts = [text_document(0, index, 4).text for index in range(1500)]
    texts += [list_document(0, index, 12, kind).text for kind in LISTS for index in range(300)]
    for text in texts:
        assert not held_out_pairs_in(text), text
        assert not held_out & set(WORD.findall(text)), text


def things_of(look: Look) -> tuple[Thing, ...]:
    if isinstance(look, Sign | Character):
        return ()
    return (look.first, look.second) if isinstance(look, Succession) else scene_of(look).things


@pytest.mark.parametrize("kinds", [TEXTS, PAGES])
def test_no_training_look_holds_a_held_out_pair_name_or_alphabet(kinds) -> None:  # type: ignore[no-untyped-def]
    for index in range(700):
        for turn in training_episode(0, index, 6, kinds=kinds).turns:
            pairs = {(thing.color, thing.shape) for thing in things_of(turn.look)}
            assert not HELD_OUT_PAIRS & pairs
            assert not (isinstance(turn.look, Sign) and turn.look.text in HELD_OUT_NAMES)
            if isinstance(turn.look, Character):
                assert turn.look.alphabet < NUM_ALPHABETS < FIRST_UNSEEN_ALPHABET


def test_pages_have_nothing_of_the_tasks_that_are_held_out() -> None:
    assert not {"dialogue", "claim", "clip"} & set(PAGES)
    for index in range(700):
        for turn in training_episode(0, index, 6, kinds=PAGES).turns:
            assert not re.search(r"what does .* (do|say)\?|Question: is it true", turn.text), (
                turn.text
            )


@pytest.mark.parametrize("kind", TEXTS)
def test_a_text_is_a_function_of_seed_and_index(kind: str) -> None:
    assert text_document(1, 2, 5, kind) == text_document(1, 2, 5, kind)
    assert text_document(1, 2, 5, kind) != text_document(1, 3, 5, kind)


@pytest.mark.parametrize("kind", PAGES)
def test_a_page_is_a_function_of_seed_and_index(kind: str) -> None:
    first, second = page_document(1, 2, 5, kind), page_document(1, 2, 5, kind)
    assert first.text == second.text
    for one, other in zip(first.visuals, second.visuals, strict=True):
        assert one.fingerprint() == other.fingerprint()


@pytest.mark.parametrize("kind", PAGES)
def test_a_page_shows_each_look_before_its_text(kind: str) -> None:
    episode = training_episode(0, 7, 5, kind, PAGES)
    page = page_document(0, 7, 5, kind)
    assert len(page.visuals) == 5
    assert page.parts[1::2] == tuple(turn.text for turn in episode.turns)
    assert all(isinstance(part, Visual) for part in page.parts[::2])


def test_rules_never_ask_for_texture_or_background() -> None:
    assert not {"texture", "background"} & set(RULE_FIELDS)
    for index in range(300):
        for turn in training_episode(0, index, 6, "rule").turns:
            assert not set(WORD.findall(turn.text)) & {*TEXTURES, *BACKGROUNDS}


def test_listings_say_two_attributes_or_more_always_in_the_same_order() -> None:
    listed = set()
    for index in range(300):
        episode = training_episode(0, index, 6, "listing")
        orders = set()
        for turn in episode.turns:
            scene = scene_of(turn.look)
            told = {**vars(scene.things[0]), "background": scene.background}
            fields = {str(told[field]): field for field in episode.needed}
            words = re.findall("[a-z]+", turn.text)
            order = tuple(fields[word] for word in words if word in fields)
            assert set(order) == set(episode.needed), turn.text
            orders.add(order)
        assert len(orders) == 1, orders
        assert 2 <= len(orders.pop()) <= 4
        listed |= set(episode.needed)
    assert listed == {"color", "shape", "size", "texture", "background"}


def test_a_name_keeps_its_look_throughout_an_episode() -> None:
    for index in range(300):
        episode = training_episode(0, index, 12, "binding")
        looks: dict[str, list[Look]] = {}
        for turn in episode.turns:
            looks.setdefault(turn.text, []).append(turn.look)
        for shown in looks.values():
            things = [scene_of(look).things[0] for look in shown]
            same_color = len({thing.color for thing in things}) == 1
            same_shape = len({thing.shape for thing in things}) == 1
            assert same_color or same_shape


def attributes_in(text: str, episode: Episode, look: Look) -> set[str]:
    """The words of `text` that tell a needed attribute of the look's things."""
    fields = [f for f in ("color", "shape", "size", "texture") if f in episode.needed]
    told = {getattr(thing, field) for thing in scene_of(look).things for field in fields}
    return told & set(WORD.findall(text))


def test_descriptions_tell_what_the_texts_speak_of() -> None:
    for index in range(300):
        episode = training_episode(0, index, 4)
        style = random_style(generator("test", index), episode.needed)
        for turn in episode.turns:
            if len(things_of(turn.look)) == 1:
                described = set(WORD.findall(describe(turn.look, style)))
                assert attributes_in(turn.text, episode, turn.look) <= described


def test_questions_are_about_what_they_say() -> None:
    seen = set()
    for index in range(300):
        seen |= training_episode(0, index, 3, "question").needed
    assert set(TOPICS) <= seen
    pictured = {
        topic
        for index in range(300)
        for topic in training_episode(0, index, 3, "question", PAGES).needed
    }
    assert set(TOPICS) - pictured == {"motion", "sign"}


def test_any_look_is_sometimes_a_clip_and_sometimes_several_things() -> None:
    rng = generator("test any look")
    looks = [any_look(rng) for _ in range(200)]
    kinds = {type(look).__name__ for look in looks}
    assert kinds == {"Scene", "Clip", "Succession", "Sign"}
    assert {len(things_of(look)) for look in looks} >= {1, 2, 3}
