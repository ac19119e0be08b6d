"""From a row and a seed to a training run: the recipe, its folder, and what it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flamingo.evaluation.sweep import Sweep
from flamingo.presets.ablations.config import AblationConfig
from flamingo.presets.ablations.encoders import encoder_recipe
from flamingo.presets.ablations.row import BASELINE, Row
from flamingo.presets.ablations.rows import ROWS
from flamingo.presets.recipe import Recipe
from flamingo.presets.training.miniature_flamingo import RECIPE
from flamingo.training.export import MODEL

PARTS = "parts"
"""The folder of what rows share: frozen parts, and the encoders of single rows."""

PAPERS_CHOICES = (
    "model.num_latents=16",
    "model.resampler_positions=0",
    "model.resampler_local_latents=0",
    "training.mixing=accumulate",
    "data.alignment_of_two=0",
    "data.alignment_batch=24",
    "data.pages=16",
    "data.pairs=24",
    "data.clips=6",
    "data.questions=0",
)
"""The baseline is the paper's: updates from the gradients of all three kinds of data, and latents
that begin alike. The shipped recipe departs from both (`docs/decisions/0011-local-latents.md`)."""

_SOURCES = ("pages", "pairs", "clips", "questions")


@dataclass(frozen=True)
class Arm:
    """One run.

    Args:
        row: its name; of an encoder, the row that it is for.
        seed: of initialization and data.
        learning_rate: as a multiple of the row's own.
        folder: of the run.
        recipe: with all settings.
        sweep: what the trained model is asked; None for an encoder, which is probed instead.
        updates: those that go through one batch of every source. One, but as many as there are
            sources where each update has a batch of a single source.
    """

    row: str
    seed: int
    learning_rate: float
    folder: Path
    recipe: Recipe
    sweep: Sweep | None = None
    updates: int = 1

    def __str__(self) -> str:
        if self.sweep is None:
            return f"{self.row}, its encoder"
        rate = "" if self.learning_rate == 1 else f", learning rate × {self.learning_rate:g}"
        return f"{self.row}, seed {self.seed}{rate}"


@dataclass(frozen=True)
class Arms:
    """All arms of an ablation.

    Args:
        config: the budget.
        folder: of the ablation.
    """

    config: AblationConfig
    folder: Path

    def part(self, name: str) -> Path:
        """Where the shared "vision" or "language" part lies."""
        return getattr(self.config, name) or self.folder / PARTS / name

    def encoder(self, row: Row) -> Arm:
        """The first stage of a row that has a vision encoder of its own."""
        assert row.encoder is not None
        recipe = encoder_recipe(row.encoder, self.config)
        return Arm(row.name, 0, 1.0, self.folder / PARTS / row.encoder, recipe)

    def tuning(self, row: Row, learning_rate: float) -> Arm:
        """A run by which the row's learning rate is chosen; its queries are others."""
        seed = self.config.tuning_seed
        return self._arm(row, seed, learning_rate, f"tuning-{learning_rate:g}", query_seed=seed)

    def arm(self, row: Row, seed: int, learning_rate: float = 1.0) -> Arm:
        """A run of the table."""
        return self._arm(
            row, seed, learning_rate, f"seed-{seed}", query_seed=self.config.query_seed
        )

    def _arm(self, row: Row, seed: int, learning_rate: float, name: str, query_seed: int) -> Arm:
        config = self.config
        recipe = _recipe(self, row, seed, learning_rate)
        # A row that changes nothing is the baseline: one run for both.
        is_baseline = recipe == _recipe(self, ROWS[BASELINE], seed, learning_rate)
        return Arm(
            row=BASELINE if is_baseline else row.name,
            seed=seed,
            learning_rate=learning_rate,
            folder=self.folder / (BASELINE if is_baseline else row.name) / name,
            recipe=recipe,
            sweep=Sweep(config.tasks, (config.shots,), num_queries=config.queries, seed=query_seed),
            updates=_updates(recipe),
        )


@lru_cache(maxsize=1000)
def _recipe(arms: Arms, row: Row, seed: int, learning_rate: float) -> Recipe:
    """The baseline's settings, then the user's, the budget, and what the row changes.

    A table that is written after every arm asks for the same ones over and over.
    """
    config = arms.config
    recipe = RECIPE.with_overrides([*PAPERS_CHOICES, *config.settings])
    data, training = recipe.config.data, recipe.config.training
    changed = recipe.with_overrides(row.settings)
    # Every source has its part of the alignment: without one, the others' are larger.
    share = len(_active(recipe)) / max(len(_active(changed)), 1)
    alignment = scaled(data.alignment_batch, config.batch_scale * share)
    sizes = {name: scaled(getattr(data, name), config.batch_scale) for name in _SOURCES}
    updates = _updates(changed)
    vision = arms.part("vision")
    if row.encoder is not None:
        vision = arms.encoder(row).folder / MODEL
    return recipe.with_overrides(
        [
            f"model.vision={vision}",
            f"model.language={arms.part('language')}",
            f"data.alignment_batch={alignment}",
            *(f"data.{name}={size}" for name, size in sizes.items()),
            f"data.alignment_steps={min(config.alignment_steps, config.steps // 3)}",
            f"data.seed={seed}",
            f"training.seed={seed}",
            f"training.steps={config.steps * updates}",
            f"training.warmup_steps={min(config.warmup_steps, config.steps // 10) * updates}",
            f"training.learning_rate={training.learning_rate * learning_rate!r}",
            f"training.checkpoint_every={config.checkpoint_every}",
            f"training.device={config.device}",
            "training.threads=1",
            "training.keep_checkpoints=1",
            "training.log_every=10",
            *row.settings,
        ]
    )


def _active(recipe: Recipe) -> list[str]:
    """The sources that a run learns from."""
    return [name for name in _SOURCES if getattr(recipe.config.data, name)]


def _updates(recipe: Recipe) -> int:
    """See `Arm.updates`."""
    return len(_active(recipe)) if recipe.config.training.mixing == "round_robin" else 1


def scaled(size: int, scale: float) -> int:
    """A batch of another size; a source that is left out stays out."""
    return max(1, round(size * scale)) if size else 0
