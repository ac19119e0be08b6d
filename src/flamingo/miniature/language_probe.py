"""Can the language model already do with words what the Flamingo shall do with pictures?

Names, pairs and two of the rules are those that are held out: in words they are probed, so what was
changed in the texts after a look at these numbers was chosen knowing them. No picture is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedTokenizerBase

from flamingo.foundation.randomness import generator
from flamingo.miniature.captions import CANONICAL_ORDER, attribute
from flamingo.miniature.descriptions import DescriptionStyle, describe, plain_style
from flamingo.miniature.documents import as_text
from flamingo.miniature.formats import Format
from flamingo.miniature.kinds import TEXTS
from flamingo.miniature.looks import choose_pairs, single
from flamingo.miniature.names import HELD_OUT_NAMES

FORMS = {
    "output": Format("Output:"),
    "question": Format("Question: what is this? Answer:"),
    "sentence": Format("this is a", "."),
    "bare": Format(),
}
STYLES = {
    "plain": plain_style(),
    "full": DescriptionStyle(CANONICAL_ORDER, "a ", has_background=True, has_place=False),
}
_ROWS_AT_ONCE = 16


@dataclass(frozen=True)
class WordTask:
    """New names for looks, told in words: "red circle / Output: daku / ... / Output:".

    Args:
        num_ways: names per episode.
        num_shots: examples per episode.
        form: one of `FORMS`.
        style: one of `STYLES`.
    """

    num_ways: int = 4
    num_shots: int = 8
    form: str = "output"
    style: str = "plain"

    def episode(self, rng: np.random.Generator) -> tuple[str, str]:
        """A prompt and its answer; all names and all pairs are held out."""
        pairs = choose_pairs(rng, self.num_ways, "held_out")
        chosen = rng.choice(len(HELD_OUT_NAMES), size=self.num_ways, replace=False)
        order = [i % self.num_ways for i in range(self.num_shots)]
        rng.shuffle(order)
        asked = int(rng.integers(self.num_ways))
        form, text = FORMS[self.form], ""
        for k in order:
            name = HELD_OUT_NAMES[chosen[k]]
            text += f"{self._look(rng, pairs[k])}\n{form.write(name)}\n"
        answer = HELD_OUT_NAMES[chosen[asked]]
        prompt = f"{text}{self._look(rng, pairs[asked])}\n{form.before}"
        return prompt, f" {answer}" if form.before else answer

    def _look(self, rng: np.random.Generator, pair: tuple[str, str]) -> str:
        return describe(single(rng, pair), STYLES[self.style])


@dataclass(frozen=True)
class WordRule:
    """One attribute of every look is said: "red circle on gray / Output: gray / …".

    Args:
        field: "color", "shape", "size", "texture" or "background".
        num_shots: examples per episode.
        form: one of `FORMS`.
    """

    field: str
    num_shots: int = 8
    form: str = "output"

    def episode(self, rng: np.random.Generator) -> tuple[str, str]:
        """A prompt and its answer; all pairs are held out, and all attributes are told."""
        form, text, answer = FORMS[self.form], "", ""
        for shot in range(self.num_shots + 1):
            scene = single(rng, pairs="held_out")
            answer = attribute(scene, self.field)
            text += f"{describe(scene, STYLES['full'])}\n"
            text += f"{form.write(answer)}\n" if shot < self.num_shots else form.before
        return text, f" {answer}" if form.before else answer


@dataclass(frozen=True)
class WordTalk:
    """Questions on looks that are told in words, of a kind that ends in "Answer: …".

    Args:
        kind: "dialogue" or "claim", see `TEXTS`.
        num_shots: looks with their answers before the last one.
    """

    kind: str
    num_shots: int = 8

    def episode(self, rng: np.random.Generator) -> tuple[str, str]:
        """A prompt and its answer."""
        builder, _ = TEXTS[self.kind]
        episode = builder(rng, self.num_shots + 1)
        before, mark, answer = episode.turns[-1].text.rpartition("Answer:")
        last = replace(episode.turns[-1], text=before + mark)
        shown = replace(episode, turns=(*episode.turns[:-1], last))
        return as_text(shown, rng, is_plain=True).text.rpartition("Answer:")[0] + mark, answer


@runtime_checkable
class Worded(Protocol):
    """A task in words."""

    def episode(self, rng: np.random.Generator) -> tuple[str, str]:
        """A prompt and its answer."""


def accuracy(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    task: Worded,
    num_episodes: int = 48,
) -> float:
    """The share of episodes whose answer the model would write, token by token, greedily."""
    episodes = [task.episode(generator("word task", i)) for i in range(num_episodes)]
    num_right = 0
    for start in range(0, num_episodes, _ROWS_AT_ONCE):
        num_right += sum(_are_right(model, tokenizer, episodes[start : start + _ROWS_AT_ONCE]))
    return num_right / num_episodes


def probe(
    model: nn.Module, tokenizer: PreTrainedTokenizerBase, num_episodes: int = 48
) -> Mapping[str, float]:
    """Accuracies of binding for 2 and 4 ways, 4 to 32 shots, all forms and styles."""
    tasks = [
        WordTask(num_ways, num_shots, form, style)
        for num_ways in (2, 4)
        for num_shots in (4, 8, 16, 32)
        for form in FORMS
        for style in STYLES
    ]
    return {
        f"{task.num_ways}-way, {task.num_shots} shots, {task.form}, {task.style}": accuracy(
            model, tokenizer, task, num_episodes
        )
        for task in tasks
    }


def probe_more(
    model: nn.Module, tokenizer: PreTrainedTokenizerBase, num_episodes: int = 48
) -> Mapping[str, float]:
    """Accuracies of rules on every attribute, and of dialogues and claims, at 8 and 32 shots."""
    fields = ("color", "shape", "size", "texture", "background")
    tasks: dict[str, Worded] = {}
    for num_shots in (8, 32):
        for field in fields:
            tasks[f"rule on {field}, {num_shots} shots"] = WordRule(field, num_shots)
        for kind in ("dialogue", "claim"):
            tasks[f"{kind}, {num_shots} shots"] = WordTalk(kind, num_shots)
    return {name: accuracy(model, tokenizer, task, num_episodes) for name, task in tasks.items()}


@torch.no_grad()
def _are_right(
    model: nn.Module, tokenizer: PreTrainedTokenizerBase, episodes: list[tuple[str, str]]
) -> Iterator[bool]:
    # Greedy writing gives the answer if, and only if, each of its tokens comes first in turn.
    prompts, answers = (
        tokenizer([episode[part] for episode in episodes], add_special_tokens=False)["input_ids"]
        for part in (0, 1)
    )
    rows = [
        [tokenizer.bos_token_id, *prompt, *answer]
        for prompt, answer in zip(prompts, answers, strict=True)
    ]
    length = max(len(row) for row in rows)
    ids = torch.tensor([row + [tokenizer.pad_token_id] * (length - len(row)) for row in rows])
    best = model(input_ids=ids, use_cache=False).logits.argmax(-1)
    for predicted, row, answer in zip(best.tolist(), rows, answers, strict=True):
        yield predicted[len(row) - len(answer) - 1 : len(row) - 1] == answer
