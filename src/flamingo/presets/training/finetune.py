r"""Fine-tuning a Flamingo on one task, as the paper does: it sees more, and its eyes learn too.

    flamingo train finetune --out runs/task model.start_from=runs/mine/model \
        data.task.path=train.jsonl validation.task.kind=pairs validation.task.path=val.jsonl

What it needs: a trained Flamingo, and pairs whose "prompt" (a question, say) is read and whose
"text" is learned. Pictures are shown at 480 pixels; the vision encoder is unfrozen, the language
model is not. `model.image_size` must be a multiple of the encoder's patches or stride: 476 or 490
for patches of 14.

The paper chooses per task among learning rates from 3e-8 to 1e-5, which fall by factors of 10,
batches of 8 or 16, a number of steps, and pictures augmented or not; it does not print what was
chosen. The defaults here are the largest of these rates and no augmentation, since left and right
matter to many questions: `data.task.flip=0.5 data.task.color_jitter=0.2` brings it back. Run: with
the miniature and with tiny models only (`tests/presets/test_recipes.py`).

Paper: App. B.2.2 (v2), Sec. 4.3 (v1).
"""

from __future__ import annotations

from flamingo.data.datasets import DatasetConfig
from flamingo.foundation.errors import ConfigError
from flamingo.presets.bridge import ModelSettings
from flamingo.presets.flamingo_training import NOWHERE, FlamingoTraining
from flamingo.presets.flamingo_training import build as build_flamingo
from flamingo.presets.recipe import Ingredients, Recipe
from flamingo.training.config import TrainingConfig

MODEL = ModelSettings(image_size=480, freeze_vision_encoder=False, bridge=None)

DATA = {"task": DatasetConfig("pairs", NOWHERE, batch=8, flip=0.0, color_jitter=0.0)}

TRAINING = TrainingConfig(
    steps=5_000,
    warmup_steps=0,
    learning_rate=1e-5,
    schedule="steps",
    decay_at=(2_500, 4_000),
    decay_factor=0.1,
    precision="bf16",
    num_workers=2,
    validate_every=250,
)


def build(config: FlamingoTraining) -> Ingredients:
    """The model to go on from, its vision encoder unfrozen, and the task.

    Raises:
        ConfigError: there is nothing to go on from.
    """
    if config.model.start_from is None:
        raise ConfigError(
            "model.start_from is not given: fine-tuning goes on from a trained Flamingo.\n"
            "Say model.start_from=FOLDER, such as runs/mine/model, or model.start_from=miniature."
        )
    return build_flamingo(config)


RECIPE = Recipe(
    name="finetune",
    description="fine-tuning on one task at a higher resolution, the vision encoder unfrozen",
    config=FlamingoTraining(model=MODEL, data=DATA, training=TRAINING),
    build=build,
)
