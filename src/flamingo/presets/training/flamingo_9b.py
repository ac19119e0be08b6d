r"""Flamingo-9B with the hyper-parameters of the paper.

    flamingo train flamingo-9b --out runs/flamingo-9b \
        model.vision=VISION model.language=LANGUAGE data.m3w.path='m3w/{00000..09999}.tar' ...

What it needs: as `flamingo-3b`, with a language model of 7B. A gated layer stands before every
fourth of its layers. 1.8B trained and 7.5B frozen parameters take 44 GB with the state of the
optimizer, before activations, which are computed twice to save memory. The paper trains it without
sharding; on smaller devices say training.parallel=shard. Run: never, at this size.
"""

from __future__ import annotations

from flamingo.presets.flamingo_training import build
from flamingo.presets.paper_training import paper_training
from flamingo.presets.recipe import Recipe

RECIPE = Recipe(
    name="flamingo-9b",
    description="Flamingo-9B as in the paper, around parts and data of your own",
    config=paper_training("flamingo-9b", micro_batches=64, activation_checkpointing=True),
    build=build,
)
