"""From files and documents to batches of tensors."""

from flamingo.data.batching import Batch, PaddingSide, collate
from flamingo.data.encoding import Encoded, Encoder
from flamingo.data.tokenizer import MarkupIds, PreparedTokenizer, prepare_tokenizer
from flamingo.data.transforms import VisualTransform

__all__ = [
    "Batch",
    "Encoded",
    "Encoder",
    "MarkupIds",
    "PaddingSide",
    "PreparedTokenizer",
    "VisualTransform",
    "collate",
    "prepare_tokenizer",
]
