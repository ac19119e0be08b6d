"""From examples to a prompt: templates, few-shot and zero-shot prompts."""

from flamingo.prompting.few_shot import Example, few_shot_prompt, query_prompt, support_prompt
from flamingo.prompting.own_templates import own_templates
from flamingo.prompting.templates import (
    CAPTION,
    HATEFUL_MEMES,
    QUESTION_ANSWER,
    RARE_ACT,
    TEMPLATES,
    Template,
    template_named,
)
from flamingo.prompting.zero_shot import zero_shot_prompt

__all__ = [
    "CAPTION",
    "HATEFUL_MEMES",
    "QUESTION_ANSWER",
    "RARE_ACT",
    "TEMPLATES",
    "Example",
    "Template",
    "few_shot_prompt",
    "own_templates",
    "query_prompt",
    "support_prompt",
    "template_named",
    "zero_shot_prompt",
]
