r"""Flamingo-3B with the hyper-parameters of the paper.

    flamingo train flamingo-3b --out runs/flamingo-3b \
        model.vision=VISION model.language=LANGUAGE \
        data.m3w.path='m3w/{00000..09999}.tar' data.align.path='align/*.tar' \
        data.ltip.path='ltip/*.tar' data.vtp.path='vtp/*.tar'

What it needs: neither the NFNet-F6 nor the 1.4B Chinchilla nor the four data sets were published.
Name your own of the same kinds; a data set that you do not have is left out with `data.vtp=null`.
`model.vision=random model.language=random` builds the paper's shapes with random weights, to try
memory and speed. The bridge has the paper's shape whatever it stands between; its width follows
the language model. `flamingo inspect preset flamingo-3b` counts its parameters.

The paper trains the final models with batches that it does not print; these are those of its
ablations, which ran for 250,000 updates. 1.4B trained and 1.9B frozen parameters take 26 GB with
the state of the optimizer, before activations. Run: never, at this size; hyper-parameters are
compared with the paper's in `tests/paper/test_sec24_training.py`.
"""

from __future__ import annotations

from flamingo.presets.flamingo_training import build
from flamingo.presets.paper_training import paper_training
from flamingo.presets.recipe import Recipe

RECIPE = Recipe(
    name="flamingo-3b",
    description="Flamingo-3B as in the paper, around parts and data of your own",
    config=paper_training("flamingo-3b"),
    build=build,
)
