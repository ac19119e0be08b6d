from __future__ import annotations

import pytest

from flamingo.foundation.errors import ConfigError
from flamingo.prompting import (
    CAPTION,
    HATEFUL_MEMES,
    QUESTION_ANSWER,
    RARE_ACT,
    Template,
    template_named,
)
from flamingo.prompting.templates import TEMPLATES


def test_the_papers_four_templates() -> None:
    assert CAPTION.support(output="A cat.") == "Output: A cat."
    assert (
        QUESTION_ANSWER.support(question="What is it?", answer="a cat")
        == "Question: What is it? Answer: a cat"
    )
    assert (
        HATEFUL_MEMES.support(meme_text="hi", answer="no")
        == 'is an image with written: "hi" on it. Is it hateful? Answer: no'
    )
    assert RARE_ACT.support(action="cuts a phone") == "Caption: a person cuts a phone"


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES.keys())
def test_a_query_and_its_answer_are_a_support(template: Template) -> None:
    fields = dict.fromkeys(template.fields, "x y")
    support = template.support(**fields, **{template.answer: "z"})
    query = template.query(**fields)
    assert support == query + template.continuation("z")
    assert not query.endswith(" ")


def test_braces_in_a_value_are_only_text() -> None:
    assert QUESTION_ANSWER.query(question="{answer}?") == "Question: {answer}? Answer:"


def test_a_query_needs_no_answer_and_ignores_a_given_one() -> None:
    assert CAPTION.query(output="A cat.") == CAPTION.query() == "Output:"


def test_parsing_a_pattern() -> None:
    assert Template.parse("Question: {question} Answer: {answer}") == QUESTION_ANSWER
    assert Template.parse("{output}").support(output="A cat.") == "A cat."


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("Output: {output}", Template("Output:")),
        ("Output:{output}", Template("Output:", separator="")),
        ("Q: {q}\n{output}", Template("Q: {q}", separator="\n")),
        ("{output}", Template("")),
        (" {output}", Template("")),
        ("Image:<image>Output: {output}", Template("Output:", before="Image:")),
        ("<image>Output: {output}", Template("Output:")),
        ("{q}<image>{output}", Template("", before="{q}")),
    ],
)
def test_a_pattern_says_what_is_before_the_visuals_and_before_the_answer(
    pattern: str, expected: Template
) -> None:
    assert Template.parse(pattern) == expected


def test_the_answers_separator_is_that_of_the_pattern() -> None:
    assert Template.parse("Short answer:{answer}").support(answer="yes") == "Short answer:yes"
    assert Template.parse("Short answer: {answer}").continuation("yes") == " yes"
    assert Template.parse("{answer}").continuation("yes") == "yes"


def test_turns_are_cut_by_the_pattern_and_not_by_what_fills_it() -> None:
    template = Template.parse("User:<image>{question}<EOC>Assistant: {answer}")
    assert template.turns(question="<EOC>?") == ["<EOC>?", "Assistant:"]
    assert template.before_visuals(question="") == "User:"
    assert template.query(question="Q?") == "Q?Assistant:"
    assert template.fields == ("question",)


def test_fields_before_the_visuals_are_needed_as_well() -> None:
    template = Template.parse("{title}:<image>Output: {output}")
    assert template.fields == ("title",)
    assert template.before_visuals(title="A", output="b") == "A:"
    with pytest.raises(ConfigError, match="needs the field 'title'"):
        template.query(output="b")


def test_a_missing_field_is_named() -> None:
    with pytest.raises(ConfigError, match="needs the field 'question'") as caught:
        QUESTION_ANSWER.support(answer="a cat")
    assert "Needed: question, answer. Given: answer." in str(caught.value)


def test_the_answers_space_does_not_belong_to_the_template() -> None:
    with pytest.raises(ConfigError, match="ends in a space"):
        Template("Output: ")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("Output:", "does not end in a field"),
        ("Output: {output} now", "does not end in a field"),
        ("{a} {a}", "names the answer's field"),
        ("Output: {", "cannot be read"),
        ("{a.b} {c}", "not a plain name"),
        ("", "does not end in a field"),
        ("<image>{a}<image>{b}", "has 2 <image> tags"),
        ("{b}<image>{b}", "names the answer's field"),
    ],
)
def test_a_wrong_pattern_is_refused(pattern: str, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        Template.parse(pattern)


def test_a_wrong_name_lists_the_right_ones() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'caption'"):
        template_named("captoin")
    assert template_named("caption") is CAPTION
