"""The miniature's language model, pretrained on text alone.

    flamingo train miniature-language --out runs/miniature-language

4,100 steps, 4.7 million tokens: 24 minutes of one core (AVX-512 bf16, no AMX). At its end it is
probed with held-out names and pairs: what it cannot do with words, the third stage cannot do with
pictures. See `docs/lab-notes.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from flamingo.miniature.language_data import CURRICULUM, LanguageSource, TextStage
from flamingo.miniature.language_model import LanguageModelShape, build_language_model
from flamingo.miniature.language_probe import probe, probe_more
from flamingo.miniature.tokenizer import build_tokenizer
from flamingo.presets.recipe import Ingredients, Recipe
from flamingo.training.config import TrainingConfig
from flamingo.training.objective import LanguageObjective
from flamingo.training.reporting import StepReport


@dataclass(frozen=True)
class TextSettings:
    """Which text, in which rows; see `LanguageSource`."""

    seed: int = 0
    tokens_per_batch: int = 1152
    stages: tuple[TextStage, ...] = CURRICULUM
    look_weight: float = 0.1


@dataclass(frozen=True)
class ProbeSettings:
    """How many episodes of each text task are asked behind the last step; 0 asks none."""

    episodes: int = 24


MODEL = LanguageModelShape()
TEXT = TextSettings()
TRAINING = TrainingConfig(
    steps=4_100,
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
    probe: ProbeSettings = field(default_factory=ProbeSettings)


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
    return Ingredients(
        model,
        LanguageObjective(),
        [source],
        export=_exporter(model, tokenizer),
        on_step=[_probing(model, tokenizer, config)] if config.probe.episodes else (),
    )


def _probing(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, config: MiniatureLanguage
) -> Callable[[StepReport], dict[str, float]]:
    """Logs what the finished model can do with words."""

    def report(step: StepReport) -> dict[str, float]:
        if step.step != config.training.steps:
            return {}
        was_training = model.training
        model.eval()
        binding = probe(model, tokenizer, config.probe.episodes)
        more = probe_more(model, tokenizer, config.probe.episodes)
        model.train(was_training)
        return {f"probe_{name}": accuracy for name, accuracy in {**binding, **more}.items()}

    return report


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
