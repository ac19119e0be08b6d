"""Peak memory while a random checkpoint of some 2 GB in a released layout is converted, or loaded.

`python -m benchmarks.conversion_memory` writes one of IDEFICS (four shards) and one of OpenFlamingo
(one file), converts each in a process of its own, and holds the peak against the bound: 1.3 times
the largest shard and 1 GB.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from transformers import (
    CLIPVisionConfig,
    CLIPVisionModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    IdeficsConfig,
    IdeficsForVisionText2Text,
)

GIGA = 1_000_000_000
_PRINT_PEAK = """
status = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""
"""Of this process alone: what getrusage says begins with what the parent had when it forked."""
_CONVERT = """
import sys
from pathlib import Path
from flamingo.inference.conversion import write_weights
from flamingo.model.checkpoints.released import released_checkpoint
parts = dict(word.split("=") for word in sys.argv[3:])
write_weights(released_checkpoint(sys.argv[1], **parts), Path(sys.argv[2]))
"""
_IMPORT = """
from pathlib import Path
import flamingo.inference.conversion
"""


def write_idefics(folder: Path, scale: float) -> None:
    """Some 2 GB, in the settings of the 9B."""
    dim = int(16 * scale) * 64
    model = IdeficsForVisionText2Text(
        IdeficsConfig(
            vocab_size=32_000,
            additional_vocab_size=2,
            hidden_size=dim,
            intermediate_size=dim * 11 // 4,
            num_hidden_layers=28,
            num_attention_heads=dim // 64,
            cross_layer_interval=4,
            qk_layer_norms=True,
            use_resampler=True,
            vision_config={
                "embed_dim": 256, "num_hidden_layers": 2, "num_attention_heads": 4,
                "intermediate_size": 512,
            },
            perceiver_config={
                "use_resampler": True, "resampler_depth": 2, "qk_layer_norms_perceiver": True,
                "resampler_head_dim": 16,
            },
        )
    )  # fmt: skip
    model.save_pretrained(folder, max_shard_size="500MB")


def write_open_flamingo(folder: Path, scale: float) -> dict[str, str]:
    """Some 2 GB in `checkpoint.pt`, beside its language model and vision encoder."""
    dim, layers, rows, seen = int(24 * scale) * 64, 24, 50_280, 256
    language_model = GPTNeoXForCausalLM(
        GPTNeoXConfig(
            vocab_size=50_432, hidden_size=dim, intermediate_size=64, num_hidden_layers=layers,
            num_attention_heads=dim // 64,
        )
    )  # fmt: skip
    language_model.to(torch.bfloat16).save_pretrained(folder / "lm")
    vision = CLIPVisionConfig(
        hidden_size=seen, intermediate_size=512, num_hidden_layers=2, num_attention_heads=4,
        patch_size=14, hidden_act="quick_gelu",
    )  # fmt: skip
    CLIPVisionModel(vision).save_pretrained(folder / "clip")
    shapes: dict[str, tuple[int, ...]] = {
        "lang_encoder.gpt_neox.embed_in.weight": (rows, dim),
        "perceiver.latents": (64, seen),
        "perceiver.norm.weight": (seen,),
        "perceiver.norm.bias": (seen,),
    }
    attention = {"to_q.weight": (512, seen), "to_kv.weight": (1024, seen),
                 "to_out.weight": (seen, 512)}  # fmt: skip
    norms = ("norm_media", "norm_latents")
    attention |= {f"{n}.{kind}": (seen,) for n in norms for kind in ("weight", "bias")}
    shapes |= {f"perceiver.layers.0.0.{name}": shape for name, shape in attention.items()}
    shapes |= _feed_forward("perceiver.layers.0.1.", seen)
    for layer in range(layers):
        gated = f"lang_encoder.gpt_neox.layers.{layer}.gated_cross_attn_layer."
        shapes |= {
            f"{gated}attn_gate": (1,),
            f"{gated}ff_gate": (1,),
            f"{gated}attn.norm.weight": (dim,),
            f"{gated}attn.norm.bias": (dim,),
            f"{gated}attn.to_q.weight": (512, dim),
            f"{gated}attn.to_kv.weight": (1024, seen),
            f"{gated}attn.to_out.weight": (dim, 512),
        }
        shapes |= _feed_forward(f"{gated}ff.", dim)
    tensors = {name: torch.randn(shape) for name, shape in shapes.items()}
    torch.save(tensors, folder / "checkpoint.pt")
    return {"language_model": str(folder / "lm"), "vision_encoder": str(folder / "clip")}


def _feed_forward(prefix: str, dim: int) -> dict[str, tuple[int, ...]]:
    return {
        f"{prefix}0.weight": (dim,),
        f"{prefix}0.bias": (dim,),
        f"{prefix}1.weight": (4 * dim, dim),
        f"{prefix}3.weight": (dim, 4 * dim),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="of the width (default 1: 2 GB)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    found = {}
    imported = _peak(_IMPORT)
    for name, write in (("idefics", write_idefics), ("open_flamingo", write_open_flamingo)):
        root = Path(tempfile.mkdtemp())
        try:
            parts = write(root / "theirs" if name == "idefics" else root, args.scale) or {}
            source = root / "theirs" if name == "idefics" else root
            files = [*source.glob("*.safetensors"), *source.glob("checkpoint.pt")]
            largest = max(path.stat().st_size for path in files)
            total = sum(path.stat().st_size for path in files)
            words = [f"{part}={place}" for part, place in parts.items()]
            peak = _peak(_CONVERT, str(source), str(root / "ours"), *words)
        finally:
            shutil.rmtree(root)
        found[name] = {
            "files": len(files),
            "total_gb": total / GIGA,
            "largest_gb": largest / GIGA,
            "peak_gb": peak / GIGA,
            "imports_gb": imported / GIGA,
            "bound_gb": 1.3 * largest / GIGA + 1,
        }
        one = found[name]
        print(
            f"{name}: {one['files']} file(s), {one['total_gb']:.2f} GB, largest "
            f"{one['largest_gb']:.2f} GB; peak {one['peak_gb']:.2f} GB (imports alone "
            f"{one['imports_gb']:.2f}), bound {one['bound_gb']:.2f} GB: "
            f"{'within' if one['peak_gb'] < one['bound_gb'] else 'OVER'}"
        )
    if args.json is not None:
        args.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _peak(code: str, *args: str) -> int:
    """The largest resident size of a process that runs `code`, in bytes."""
    ran = subprocess.run(
        [sys.executable, "-c", code + _PRINT_PEAK, *args],
        check=True,
        capture_output=True,
        text=True,
    )
    return 1024 * int(ran.stdout.strip().splitlines()[-1])


if __name__ == "__main__":
    main()
