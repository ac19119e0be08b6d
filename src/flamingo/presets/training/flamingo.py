r"""A Flamingo of your own vision encoder, language model and image-text data.

    flamingo train flamingo --out runs/mine \
        model.vision=openai/clip-vit-large-patch14 model.language=Qwen/Qwen3-0.6B-Base \
        data.web.kind=pages data.web.path='web/{000..099}.tar' \
        data.captions.kind=pairs data.captions.path='captions/*.tar' data.captions.weight=0.2

What it needs: a vision encoder (the folder that a contrastive recipe left, or a CLIP- or
SigLIP-style model), a causal language model with its tokenizer, and one data set at least; see
`docs/training.md` for the layouts. Both parts stay frozen, in bf16. The same command goes on where
the run stopped; `flamingo prompt --model runs/mine/model` asks the result.

Text for co-training, as in the paper's appendix:

    model.freeze_language_model=false training.language_learning_rate_multiplier=0.1 \
        data.text.kind=text data.text.path='text/*.jsonl' data.text.weight=1.0

Defaults are the paper's where it has a value, but for the steps: 500,000 are more than most have
use for. Run at full size: not yet. In small, by `tests/end_to_end/test_own_flamingo.py`.
"""

from __future__ import annotations

from flamingo.presets.flamingo_training import FlamingoTraining, build
from flamingo.presets.recipe import Recipe
from flamingo.training.config import TrainingConfig

TRAINING = TrainingConfig(
    steps=50_000,
    warmup_steps=1_000,
    precision="bf16",
    num_workers=2,
    validate_every=500,
)

RECIPE = Recipe(
    name="flamingo",
    description="a Flamingo of your own vision encoder, language model and data",
    config=FlamingoTraining(training=TRAINING),
    build=build,
)
