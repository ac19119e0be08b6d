"""The miniature's language model, pretrained on text alone.

    flamingo train miniature-language --out runs/miniature-language

3,500 steps, 4.0 million tokens: 19 minutes on one core of a shared machine (AVX-512 bf16, no AMX).
Probed by `flamingo.miniature.language_probe.probe` with held-out names and pairs: see
`docs/lab-notes.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from flamingo.miniature.language_data import CURRICULUM, LanguageSource, TextStage
from flamingo.miniature.language_model import LanguageModelShape, build_language_model
from flamingo.miniature.tokenizer import build_tokenizer
from flamingo.presets.recipe import Ingredients, Recipe
from flamingo.training.config import TrainingConfig
from flamingo.training.objective import LanguageObjective


@dataclass(frozen=True)
class TextSettings:
    """Which text, in which rows; see `LanguageSource`."""

    seed: int = 0
    tokens_per_batch: int = 1152
    stages: tuple[TextStage, ...] = CURRICULUM
    look_weight: float = 0.1


MODEL = LanguageModelShape()
TEXT = TextSettings()
TRAINING = TrainingConfig(
    steps=3_900,
    warmup_steps=50,
    learning_rate=2e-3,
    schedule="linear",
    decay_steps=2_000,
    optimizer="muon",
    # Near the rate that Muon likes best with its own scaling, 0.01.
    muon_learning_rate_multiplier=1.8,
    weight_decay=0.01,
    precision="bf16",
    threads=1,
    checkpoint_every=250,
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
        tokens_per_batch=text.tokens_per_batch,
        stages=text.stages,
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
