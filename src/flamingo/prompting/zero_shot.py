"""The paper's zero-shot prompt: two examples of the task as text only, then the query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flamingo.prompting.few_shot import Example, few_shot_prompt
from flamingo.prompting.templates import Template
from flamingo.sequence import Interleaved


def zero_shot_prompt(
    text_examples: Sequence[Example], query: Example, template: Template
) -> Interleaved:
    """Examples that show the answer's form but no visual, then the query with its own.

    The paper takes two; none for close-ended tasks, where the candidates show the form.

    Raises:
        ConfigError: an example lacks a field of the template.

    Paper: Sec. 3, App. A.2.
    """
    without_visuals = [replace(example, visuals=()) for example in text_examples]
    return few_shot_prompt(without_visuals, query, template)
