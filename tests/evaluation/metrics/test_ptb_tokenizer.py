from __future__ import annotations

import csv
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.evaluation.metrics.ptb_java import java_ptb_words
from flamingo.evaluation.metrics.ptb_tokenizer import ptb_words
from tests.evaluation.metrics.annotation_fixtures import fixture_file


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("A man riding a horse.", "a man riding a horse"),
        ("A man's dog (brown) isn't here.", "a man 's dog -lrb- brown -rrb- is n't here"),
        ("[x] {y}", "-lsb- x -rsb- -lcb- y -rcb-"),
        ('He said "hello" to them...', "he said hello to them"),
        (
            "Mr. Smith lives on St. James St. in the U.S.",
            "mr. smith lives on st. james st. in the u.s.",
        ),
        ("plan b. is", "plan b. is"),
        ("vitamin C. The end", "vitamin c the end"),
        ("Vitamin C. Xylitol", "vitamin c. xylitol"),
        ("no. 5 is no.", "no. 5 is no"),
        ("end.Start", "end.start"),
        ("It costs $5.50, 20% off, #1", "it costs $ 5.50 20 % off # 1"),
        ("#hashtag @user me@x.com", "#hashtag @user me@x.com"),
        ("cannot gonna wanna gimme lemme gotta", "can not gon na wan na gim me lem me got ta"),
        ("'tis 'twas 'em", "'t is 't was 'em"),
        ("o'clock ma'am y'all O'Brien D'Angelo", "o'clock ma'am y' all o'brien d'angelo"),
        ("don’t it’s I’m", "do n't it 's i 'm"),
        ("wouldn't've CAN'T", "would n't 've ca n't"),
        ("black-and-white t-shirt", "black-and-white t-shirt"),
        ("here -- there — yes - no", "here there yes no"),
        ("a ----- b", "a ----- b"),
        ("what?! who? no!!", "what ?! who no !!"),
        ("and/or 1/2 ½ 10:30 1,000 -5", "and/or 1/2 1/2 10:30 1,000 -5"),
        ("5'10\" tall", "5 10 tall"),
        ("dogs' cats'", "dogs cats"),
        ("the '90s 1960's", "the '90s 1960 's"),
        ("rock'n'roll rock 'n' roll", "rock 'n' roll rock 'n' roll"),
        ("a smile :) 😀 ☺", "a smile :-rrb- ☺"),
        ("http://x.com/a?b=1 www.x.com", "http://x.com/a?b=1 www.x.com"),
        ("<unk> a < b", "<unk> a < b"),
        ("café 中文", "café 中文"),
        ("man,woman;child", "man woman child"),
        ("a_b x=y", "a_b x = y"),
        ("", ""),
        (" . ", ""),
    ],
)
def test_words_are_those_of_the_java_program(caption: str, words: str) -> None:
    assert " ".join(ptb_words(caption)) == words


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="abcDE01'’.,-–\"()$#@ :;!?&/_<>½😀\n", max_size=40))
def test_any_text_becomes_lowercase_words_without_space(caption: str) -> None:
    words = ptb_words(caption)
    assert all(word and word == word.lower() and word.split() == [word] for word in words)
    assert not {".", ",", "?", "!", ";", ":", "-", "--", "...", "'"} & set(words)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(["a", "dog", "runs", "on", "grass"]), max_size=8))
def test_plain_words_are_left_alone(words: list[str]) -> None:
    assert list(ptb_words(" ".join(words))) == words


def real_captions() -> list[str]:
    results = json.loads(fixture_file("captions_val2014_fakecap_results.json").read_text())
    with fixture_file("aac_example_1.csv").open(encoding="utf-8", newline="") as file:
        described = [text for row in csv.DictReader(file) for text in row.values() if text]
    return sorted({*(result["caption"] for result in results), *described})


def test_real_captions_are_as_with_java() -> None:
    pytest.importorskip("pycocoevalcap")
    captions = real_captions()
    assert [ptb_words(caption) for caption in captions] == java_ptb_words(captions)
