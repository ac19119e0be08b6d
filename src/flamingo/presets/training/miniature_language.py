"""The miniature's language model, pretrained on text alone.

flamingo train miniature-language --out runs/miniature-language
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from flamingo.miniature.language_data import LanguageSource
from flamingo.miniature.language_model import LanguageModelShape, build_language_model
from flamingo.miniature.tokenizer import build_tokenizer
from flamingo.presets.recipe import Ingredients, Recipe
from flamingo.training.config import TrainingConfig
from flamingo.training.objective import LanguageObjective


@dataclass(frozen=True)
class TextSettings:
    """Which text, in which rows; see `LanguageSource`."""

    seed: int = 0
    batch_size: int = 32
    num_tokens: int = 128
    num_long_tokens: int = 384
    long_from: int | None = 1_400
    look_weight: float = 0.1


MODEL = LanguageModelShape()
TEXT = TextSettings()
TRAINING = TrainingConfig(
    steps=2_000,
    warmup_steps=40,
    learning_rate=2e-3,
    schedule="linear",
    decay_steps=1_200,
    optimizer="muon",
    muon_learning_rate_multiplier=2.0,
    weight_decay=0.01,
    precision="bf16",
    threads=1,
    checkpoint_every=200,
)


@dataclass(frozen=True)
class MiniatureLanguage:
    """All settings of this recipe."""

    model: LanguageModelShape = MODEL
    text: TextSettings = TEXT
    training: TrainingConfig = TRAINING


def build(config: MiniatureLanguage) -> Ingredients:
    """The language model and its text."""
    tokenizer = build_tokenizer()
    model = build_language_model(config.model, tokenizer)
    text = config.text
    source = LanguageSource(
        seed=text.seed,
        tokenizer=tokenizer,
        batch_size=text.batch_size,
        num_tokens=text.num_tokens,
        num_long_tokens=text.num_long_tokens,
        long_from=text.long_from,
        look_weight=text.look_weight,
    )
    return Ingredients(model, LanguageObjective(), [source], export=_exporter(model, tokenizer))


def _exporter(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Callable[[Path], None]:
    def export(folder: Path) -> None:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)

    return export


RECIPE = Recipe(
    name="miniature-language",
    description="The miniature's language model on text alone",
    config=MiniatureLanguage(),
    build=build,
)
