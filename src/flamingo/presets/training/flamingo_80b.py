r"""Flamingo (80B) with the hyper-parameters of the paper.

    torchrun --nnodes=... --nproc-per-node=8 --no-python \
        flamingo train flamingo-80b --out runs/flamingo-80b \
        model.vision=VISION model.language=LANGUAGE data.m3w.path='m3w/{00000..09999}.tar' ...

What it needs: as `flamingo-3b`, with a language model of 70B. A gated layer stands before every
seventh of its layers. 10B trained and 70B frozen parameters take 300 GB with the state of the
optimizer, divided among all devices; the paper divides each layer among 16 devices, and trained
for 15 days on 1,536 TPUv4 chips. What is exported is what was trained, and finds the frozen parts
where they were loaded from. Run: never, at this size.
"""

from __future__ import annotations

from dataclasses import replace

from flamingo.presets.flamingo_training import FlamingoTraining, build
from flamingo.presets.paper_training import paper_training
from flamingo.presets.recipe import Recipe


def _config() -> FlamingoTraining:
    config = paper_training(
        "flamingo-80b", micro_batches=64, activation_checkpointing=True, parallel="shard"
    )
    return replace(config, model=replace(config.model, export="trained"))


RECIPE = Recipe(
    name="flamingo-80b",
    description="Flamingo (80B) as in the paper, sharded, around parts and data of your own",
    config=_config(),
    build=build,
)
