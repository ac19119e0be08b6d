r"""A Flamingo of today's public parts: SigLIP (400M) and Qwen3 1.7B.

    flamingo train siglip-qwen --out runs/siglip-qwen \
        data.pages.path='obelics/*.tar' data.pairs.path='captions/*.tar'

What it needs: both parts are fetched from the hub by name, or taken from folders
(`model.vision=FOLDER model.language=FOLDER`); interleaved pages and image-text pairs in shards.
The language model's 28 layers get 7 gated ones, before every fourth: the paper's ablation finds
that this costs little and trains 1.7 times as fast as one before each.

For this shape a gated layer has 50M parameters, all 7 together with the resampler 0.45B. Pictures
of 384 pixels give 729 features each: with a frozen encoder it pays to compute them once,
`flamingo features siglip-qwen --data pages,pairs --out features`. Run: with tiny parts of the same
layouts only (`tests/presets/test_recipes.py`); nothing here was tuned on these backbones.
"""

from __future__ import annotations

from flamingo.data.datasets import DatasetConfig
from flamingo.presets.bridge import BridgeShape, ModelSettings
from flamingo.presets.flamingo_training import NOWHERE, FlamingoTraining, build
from flamingo.presets.recipe import Recipe
from flamingo.training.config import TrainingConfig

MODEL = ModelSettings(
    vision="google/siglip-so400m-patch14-384",
    language="Qwen/Qwen3-1.7B-Base",
    bridge=BridgeShape(resampler_head_dim=64, xattn_every=4),
)

DATA = {
    "pages": DatasetConfig("pages", NOWHERE, batch=64, weight=1.0, max_tokens=256),
    "pairs": DatasetConfig("pairs", NOWHERE, batch=128, weight=0.2, max_tokens=64),
}

TRAINING = TrainingConfig(
    steps=100_000,
    warmup_steps=2_000,
    learning_rate=1e-4,
    precision="bf16",
    micro_batches=8,
    activation_checkpointing=True,
    num_workers=8,
    async_checkpoints=True,
    validate_every=1_000,
)

RECIPE = Recipe(
    name="siglip-qwen",
    description="a Flamingo of SigLIP and Qwen3 1.7B, both frozen",
    config=FlamingoTraining(model=MODEL, data=DATA, training=TRAINING),
    build=build,
)
