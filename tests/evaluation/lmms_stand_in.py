"""A stand-in for the package lmms-eval: what its version 0.7.3 asks of a model and gives to it.

Only the surface that an adapter touches: the base class with its data sets by task and split, the
manifest of its registry, and the wrapper that its evaluator unpacks. Requests have their arguments
in the order of its `ConfigurableTask.construct_requests`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

FILES = {
    "lmms_eval/__init__.py": "",
    "lmms_eval/api/__init__.py": "",
    "lmms_eval/api/model.py": """
import abc

class lmms(abc.ABC):
    is_simple = True

    def __init__(self):
        self.task_dict = {}
        self.cache_name = self.pretrained

    @abc.abstractmethod
    def loglikelihood(self, requests): ...

    @abc.abstractmethod
    def generate_until(self, requests): ...

    @abc.abstractmethod
    def generate_until_multi_round(self, requests): ...

    @classmethod
    def create_from_arg_string(cls, arg_string, additional_config):
        arguments = dict(one.split("=", 1) for one in arg_string.split(",") if one)
        arguments = {name: cls.number_or_text(value) for name, value in arguments.items()}
        given = {name: value for name, value in additional_config.items() if value is not None}
        return cls(**arguments, **given)

    @staticmethod
    def number_or_text(value):
        try:
            return int(value)
        except ValueError:
            return value
""",
    "lmms_eval/api/instance.py": """
from dataclasses import dataclass
from typing import Any

@dataclass
class GenerationResult:
    text: Any
    token_counts: Any = None
""",
    "lmms_eval/models/__init__.py": "",
    "lmms_eval/models/registry_v2.py": """
from dataclasses import dataclass

@dataclass(frozen=True)
class ModelManifest:
    model_id: str
    simple_class_path: str | None = None
    chat_class_path: str | None = None
    aliases: tuple[str, ...] = ()
""",
}


@dataclass
class Instance:
    """A request of a task."""

    args: tuple[Any, ...]


def doc_to_visual(document: dict[str, Any]) -> list[Any]:
    """What a task shows of a document."""
    return document["visuals"]


def generate(number: int, text: str, **settings: Any) -> Instance:
    """A request for an open answer."""
    return Instance((text, settings, doc_to_visual, number, "task", "test"))


def choose(number: int, text: str, choice: str | Callable[..., str]) -> Instance:
    """A request for a likelihood."""
    return Instance((text, choice, doc_to_visual, number, "task", "test"))


@contextmanager
def installed(folder: Path) -> Iterator[None]:
    """Makes it importable, in place of a real one, and forgets it again."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        forget(patch)
        yield


def forget(patch: pytest.MonkeyPatch) -> None:
    """Leaves the modules of lmms-eval, and ours that need it, to be imported anew."""
    import sys

    for name in list(sys.modules):
        if name.partition(".")[0] == "lmms_eval" or name == "flamingo.evaluation.lmms_adapter":
            patch.delitem(sys.modules, name)
