"""A Flamingo around a language model and a vision encoder of yours, step by step.

    python examples/around_your_models.py                       # tiny random ones
    python examples/around_your_models.py --language parts/llama --vision parts/clip

Shows with numbers what the paper says of it: closed gates leave the language model's logits as they
were; a token sees one picture, the last before it; only the new parts learn. Then it learns to
name three pictures, is saved, and loaded again. Training in earnest is one command, `flamingo train
flamingo`: see docs/training.md.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from itertools import permutations
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, CLIPVisionConfig, LlamaConfig

from flamingo import (
    FlamingoForConditionalGeneration,
    FlamingoImageProcessor,
    FlamingoProcessor,
    Interleaved,
    Predictor,
    Visual,
    build_flamingo,
)
from flamingo.miniature.tokenizer import build_tokenizer
from flamingo.model.checkpoints.vision import load_vision_encoder
from flamingo.model.vision_encoder import VisionEncoder, build_vision_encoder
from flamingo.training.gates import gate_openings
from flamingo.training.preparation import set_train_mode

COLORS = ("red", "green", "blue")


def main(arguments: Sequence[str] | None = None) -> None:
    """Builds, looks inside, trains, saves, loads."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--language", help="folder or hub name of a causal language model")
    parser.add_argument("--vision", help="folder or hub name of a CLIP, a SigLIP or an NFNet")
    parser.add_argument("--updates", type=int, default=100, help="of the training (default 100)")
    options = parser.parse_args(arguments)
    if options.updates < 0:
        parser.error("--updates is at least 0.")
    torch.manual_seed(0)
    language_model, tokenizer = language_parts(options.language)
    vision_encoder = vision_part(options.vision)
    words = tokenizer(" ".join(COLORS), return_tensors="pt")["input_ids"]
    with torch.no_grad():
        alone = language_model(input_ids=words).logits

    # The processor adds <image> and <EOC> to the tokenizer; the model has rows for them.
    processor = FlamingoProcessor(
        FlamingoImageProcessor(vision_encoder.image_size, vision_encoder.mean, vision_encoder.std),
        tokenizer,
    )
    ids = processor.encoder().prepared.ids
    model = build_flamingo(
        language_model,
        vision_encoder,
        image_token_id=ids.image[0],
        eoc_token_id=ids.eoc,
        eos_token_id=ids.eos,
        pad_token_id=ids.pad,
        num_latents=16,
        xattn_every=2,
    )
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print(f"{model.num_parameters():,} parameters, of which {trained:,} learn\n")

    # In all orders, so that nothing but the pictures tells what comes next.
    pages = [
        Interleaved.of(*(part for color in order for part in (plain(color), color)))
        for order in permutations(COLORS)
    ]
    inputs = processor.encode(pages, is_complete=True, padding_side="right", with_labels=True)
    labels = inputs.pop("labels")
    tokens = tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])
    print("token: the picture that it sees")
    print(
        " ".join(f"{t}:{i}" for t, i in zip(tokens, inputs["visual_index"][0], strict=True)), "\n"
    )

    with torch.no_grad():
        pixels = inputs["pixel_values"][:1, :1]
        seeing = model(words, pixel_values=pixels, visual_index=torch.ones_like(words)).logits
    # There are logits of the two new tokens as well.
    difference = (seeing[..., : alone.shape[-1]] - alone).abs().max().item()
    print(f"gates closed: a picture changes the language model's logits by {difference:g}")

    learn(model, inputs, labels, options.updates)
    print("gates now, |tanh α|:", " ".join(f"{g:.2f}" for g in gate_openings(model).values()))

    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder, full=True)
        processor.save_pretrained(folder)
        loaded = Predictor.from_pretrained(folder, device="cpu", dtype="steady")
    # A prompt as pages are: a picture, and what is said of it.
    for color in COLORS:
        [answer] = loaded.complete([Interleaved.of(plain(color))], max_new_tokens=4)
        print(f"  a {color} picture → {answer.text}")


def language_parts(source: str | None) -> tuple[Any, Any]:
    """A causal language model and its tokenizer."""
    if source is not None:
        return AutoModelForCausalLM.from_pretrained(source), AutoTokenizer.from_pretrained(source)
    tokenizer = build_tokenizer()
    # A wide start: a frozen head of small weights could never be sure of a word.
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=4,
        num_attention_heads=4,
        initializer_range=0.2,
    )
    return AutoModelForCausalLM.from_config(config), tokenizer


def vision_part(source: str | None) -> VisionEncoder:
    """A vision encoder."""
    if source is not None:
        return load_vision_encoder(source)
    return build_vision_encoder(
        CLIPVisionConfig(
            hidden_size=48,
            intermediate_size=96,
            num_hidden_layers=2,
            num_attention_heads=4,
            image_size=32,
            patch_size=8,
        )
    )


def plain(color: str) -> Visual:
    """A picture of one color."""
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[..., COLORS.index(color)] = 255
    return Visual.from_image(pixels)


def learn(
    model: FlamingoForConditionalGeneration, inputs: Any, labels: torch.Tensor, updates: int
) -> None:
    """Some updates on all pages at once; the gates open."""
    set_train_mode(model)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    for step in range(updates + 1):
        loss = model(**inputs, labels=labels).loss
        if step % 25 == 0:
            print(f"after {step} updates: loss {loss.item():.3f}")
        if step == updates:
            break
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.eval()


if __name__ == "__main__":
    main()
