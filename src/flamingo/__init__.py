"""Flamingo: a visual language model that learns a task from a handful of examples in its prompt."""

from flamingo.data.files import load_visual
from flamingo.data.image_processor import FlamingoImageProcessor
from flamingo.data.processor import FlamingoProcessor
from flamingo.foundation.errors import FlamingoError
from flamingo.inference.predictor import Answer, Predictor
from flamingo.inference.registration import register
from flamingo.inference.remembered import Budgets
from flamingo.inference.requests import Request
from flamingo.inference.support_cache import SupportCache
from flamingo.model.build import build_flamingo
from flamingo.model.config import FlamingoConfig
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.prompting import Example, Template
from flamingo.sequence import Interleaved, Visual

__all__ = [
    "Answer",
    "Budgets",
    "Example",
    "FlamingoConfig",
    "FlamingoError",
    "FlamingoForConditionalGeneration",
    "FlamingoImageProcessor",
    "FlamingoProcessor",
    "Interleaved",
    "Predictor",
    "Request",
    "SupportCache",
    "Template",
    "Visual",
    "build_flamingo",
    "load_visual",
]

register()
