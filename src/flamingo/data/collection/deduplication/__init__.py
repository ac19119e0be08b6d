"""Pages, images and paragraphs that are there twice, or too often, or belong to a benchmark."""

from flamingo.data.collection.deduplication.benchmark_files import visuals_in
from flamingo.data.collection.deduplication.benchmark_images import BenchmarkImages
from flamingo.data.collection.deduplication.benchmark_sets import benchmark_images
from flamingo.data.collection.deduplication.deciding import decide
from flamingo.data.collection.deduplication.decisions import (
    Decisions,
    PageDecision,
    PieceDecision,
    Reason,
)
from flamingo.data.collection.deduplication.report import report, report_lines
from flamingo.data.collection.deduplication.settings import (
    NO_DEDUPLICATION,
    DeduplicationSettings,
)
from flamingo.data.collection.deduplication.signatures import PageSignature, signature_of
from flamingo.data.collection.deduplication.tables import SignatureTable

__all__ = [
    "NO_DEDUPLICATION",
    "BenchmarkImages",
    "Decisions",
    "DeduplicationSettings",
    "PageDecision",
    "PageSignature",
    "PieceDecision",
    "Reason",
    "SignatureTable",
    "benchmark_images",
    "decide",
    "report",
    "report_lines",
    "signature_of",
    "visuals_in",
]
