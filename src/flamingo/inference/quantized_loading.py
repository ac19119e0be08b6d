"""The frozen language model in 4 or 8 bits from the start, for models that fit in no other way."""

from __future__ import annotations

from importlib.util import find_spec

import torch
from transformers import BitsAndBytesConfig

from flamingo.foundation.errors import ConfigError


def quantization_config(bits: int) -> BitsAndBytesConfig:
    """How bitsandbytes keeps weights as they are loaded, never all of them at full width.

    4 bits are NF4 with quantized scales, multiplied in bfloat16; 8 bits are LLM.int8. Output head
    and embeddings stay as they are, and so does all that is not the language model.

    Args:
        bits: 4 or 8.

    Raises:
        ConfigError: another number, or the library is not installed.
    """
    if bits not in (4, 8):
        raise ConfigError(f"bits is {bits}, but bitsandbytes keeps weights in 4 or 8.")
    if find_spec("bitsandbytes") is None or find_spec("accelerate") is None:
        raise ConfigError(
            f"Weights in {bits} bits need bitsandbytes and accelerate, which are not installed.\n"
            "pip install 'flamingo-vlm[large]'. On a CPU, int8=True (--int8) needs neither."
        )
    if bits == 8:
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
