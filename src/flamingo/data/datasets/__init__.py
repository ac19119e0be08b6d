"""Data sets on disk, or at any address of fsspec: shards, folders and JSON lines."""

from flamingo.data.datasets.config import DatasetConfig
from flamingo.data.datasets.raw_samples import BrokenSample, RawSample, Store
from flamingo.data.datasets.source import DatasetSource, build_dataset
from flamingo.data.datasets.stores import open_store
from flamingo.data.datasets.writing import ShardWriter

__all__ = [
    "BrokenSample",
    "DatasetConfig",
    "DatasetSource",
    "RawSample",
    "ShardWriter",
    "Store",
    "build_dataset",
    "open_store",
]
