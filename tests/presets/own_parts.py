"""What a user brings to a recipe, in small: two pretrained parts, and pictures with text."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import (
    AutoModelForCausalLM,
    CLIPVisionConfig,
    LlamaConfig,
    Qwen3Config,
    SiglipVisionConfig,
)

from flamingo.model.checkpoints.vision import save_vision_encoder
from flamingo.model.nfnet import NFNetConfig
from flamingo.model.vision_encoder import build_vision_encoder
from tests.data.tokenizers_for_tests import byte_level_bpe

COLORS = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (40, 60, 230)}
SIZE = 32
VIT = {
    "hidden_size": 24,
    "intermediate_size": 48,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": SIZE,
    "patch_size": 8,
}
LANGUAGE = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "initializer_range": 0.2,
}
BRIDGE = [
    "model.bridge.num_latents=4",
    "model.bridge.resampler_layers=1",
    "model.bridge.resampler_heads=2",
    "model.bridge.resampler_head_dim=8",
]
"""A bridge of a few thousand parameters."""
SHORT = [
    "training.steps=3",
    "training.warmup_steps=0",
    "training.num_workers=0",
    "training.threads=1",
    "training.device=cpu",
    "training.precision=fp32",
    "training.micro_batches=1",
    "training.activation_checkpointing=false",
    "training.validate_every=0",
    "training.async_checkpoints=false",
]


def vision_folder(folder: Path, family: str = "clip") -> Path:
    """A vision encoder as a folder."""
    torch.manual_seed(0)
    config = {
        "clip": lambda: CLIPVisionConfig(**VIT),
        "siglip": lambda: SiglipVisionConfig(**VIT),
        "nfnet": lambda: NFNetConfig(
            variant="custom", depths=[1, 1], channels=[16, 24], image_size=SIZE
        ),
    }[family]()
    save_vision_encoder(build_vision_encoder(config), folder)
    return folder


def language_folder(folder: Path, family: str = "llama") -> Path:
    """A language model and its tokenizer as a folder; the table has padding, as Qwen's has."""
    torch.manual_seed(0)
    tokenizer = byte_level_bpe()
    kind = {"llama": LlamaConfig, "qwen3": Qwen3Config}[family]
    head = {"head_dim": 8} if family == "qwen3" else {}
    config = kind(
        **LANGUAGE,
        **head,
        vocab_size=len(tokenizer) + 9,
        tie_word_embeddings=family == "qwen3",
        eos_token_id=tokenizer.eos_token_id,
    )
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def own_parts(folder: Path, vision: str = "clip", language: str = "llama") -> list[str]:
    """Both parts, as settings of a recipe."""
    return [
        f"model.vision={vision_folder(folder / 'vision', vision)}",
        f"model.language={language_folder(folder / 'language', language)}",
    ]


def drawn(color: str, size: int = SIZE, number: int = 0) -> bytes:
    """A square of a color on gray, as a PNG."""
    pixels = np.full((size, size, 3), 128, np.uint8)
    start = 2 + number % (size // 3)
    pixels[start : start + size // 2, start : start + size // 2] = COLORS[color]
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def clip(colors: list[str]) -> bytes:
    """A GIF of one second per color."""
    frames = [Image.open(io.BytesIO(drawn(color))) for color in colors]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=1000)
    return buffer.getvalue()


def pairs_tar(path: Path, count: int = 6) -> Path:
    """Pictures of squares with captions, as a shard."""
    names = list(COLORS)
    members = {}
    for number in range(count):
        color = names[number % 3]
        members[f"{number:04d}.png"] = drawn(color, number=number)
        members[f"{number:04d}.txt"] = f"a {color} square.".encode()
    return _tar(path, members)


def videos_tar(path: Path, count: int = 4) -> Path:
    """Clips of two or three seconds with captions, as a shard."""
    names = list(COLORS)
    members = {}
    for number in range(count):
        colors = names[: 2 + number % 2]
        members[f"{number:04d}.gif"] = clip(colors)
        members[f"{number:04d}.json"] = _json(text=f"{' then '.join(colors)}.")
    return _tar(path, members)


def pages_tar(path: Path, count: int = 4) -> Path:
    """Pages of two pictures and text around them, as a shard."""
    members = {}
    for number in range(count):
        members[f"{number:04d}.json"] = _json(
            text="see <image> a red one, and <image> a blue one.", images=["0.png", "1.png"]
        )
        members[f"{number:04d}.0.png"] = drawn("red", number=number)
        members[f"{number:04d}.1.png"] = drawn("blue", number=number)
    return _tar(path, members)


def questions_jsonl(folder: Path, count: int = 4) -> Path:
    """Questions about pictures with answers, as JSON lines with pictures in a folder beside."""
    (folder / "pictures").mkdir(parents=True)
    lines = []
    for number, color in enumerate((list(COLORS) * count)[:count]):
        name = f"pictures/{number}.png"
        (folder / name).write_bytes(drawn(color, number=number))
        prompt = "Question: which color? Answer:"
        lines.append(json.dumps({"image": name, "prompt": prompt, "text": color}))
    path = folder / "task.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def text_jsonl(path: Path) -> Path:
    """Texts for co-training, as JSON lines."""
    path.write_text("".join(json.dumps({"text": f"a cat, {n} times."}) + "\n" for n in range(4)))
    return path


def _json(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def _tar(path: Path, members: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path
