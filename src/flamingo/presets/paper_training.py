"""The paper's training run of its three models: one mixture, one set of hyper-parameters."""

from __future__ import annotations

from dataclasses import replace

from flamingo.data.datasets import DatasetConfig
from flamingo.presets.bridge import BridgeShape, ModelSettings
from flamingo.presets.flamingo_training import NOWHERE, FlamingoTraining
from flamingo.presets.models import model_preset
from flamingo.training.config import TrainingConfig

MIXTURE: dict[str, DatasetConfig] = {
    "m3w": DatasetConfig("pages", NOWHERE, batch=256, weight=1.0, max_tokens=256, p_next=0.5),
    "align": DatasetConfig("pairs", NOWHERE, batch=512, weight=0.2, max_tokens=32),
    "ltip": DatasetConfig("pairs", NOWHERE, batch=512, weight=0.2, max_tokens=64),
    "vtp": DatasetConfig(
        "videos", NOWHERE, batch=64, weight=0.03, max_tokens=64, num_frames=8, fps=1.0
    ),
}
"""The four data sets with their λ, and the only published batch sizes: those of the ablations.

Which pairs have 32 tokens and which have 64 is not printed; captions of ALIGN are shorter.

Paper: Sec. 2.4, 3.1, App. A.3, App. B.1.2, Table 10 (v2).
"""

TRAINING = TrainingConfig(
    steps=500_000,
    warmup_steps=5_000,
    learning_rate=1e-4,
    schedule="constant",
    weight_decay=0.1,
    clip_norm=1.0,
    mixing="accumulate",
    precision="bf16",
    # Only for memory: the gradient is the same.
    micro_batches=32,
    num_workers=8,
    checkpoint_every=1_000,
    async_checkpoints=True,
)


def paper_training(preset: str, **training: object) -> FlamingoTraining:
    """The run of one of the paper's models, with some settings of how it is run changed.

    Paper: Sec. 2.4, App. B.1.2.
    """
    shape = model_preset(preset)
    return FlamingoTraining(
        model=ModelSettings(
            shape=preset,
            image_size=shape.vision.image_size,
            bridge=BridgeShape.of_preset(preset),
        ),
        data=dict(MIXTURE),
        training=replace(TRAINING, **training),  # type: ignore[arg-type]
    )
