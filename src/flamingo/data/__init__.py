"""From files and documents to batches of tensors."""

from flamingo.data.batching import Batch, PaddingSide, collate
from flamingo.data.encoding import Encoded, Encoder
from flamingo.data.files import VisualSource, load_visual
from flamingo.data.image_processor import FlamingoImageProcessor
from flamingo.data.processor import FlamingoProcessor
from flamingo.data.tokenizer import MarkupIds, PreparedTokenizer, prepare_tokenizer
from flamingo.data.transforms import VisualTransform

__all__ = [
    "Batch",
    "Encoded",
    "Encoder",
    "FlamingoImageProcessor",
    "FlamingoProcessor",
    "MarkupIds",
    "PaddingSide",
    "PreparedTokenizer",
    "VisualSource",
    "VisualTransform",
    "collate",
    "load_visual",
    "prepare_tokenizer",
]
