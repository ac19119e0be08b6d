"""What the routes work with, made once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flamingo.prompting import Template
from flamingo.serving.api.conversation import Conversations
from flamingo.serving.api.metrics import Metrics
from flamingo.serving.api.sites import HostNames
from flamingo.serving.engine import Engine
from flamingo.serving.files import UploadedFiles
from flamingo.serving.keys import Keys
from flamingo.serving.limits import Limits
from flamingo.serving.media import MediaReader
from flamingo.serving.remote import RemoteFiles
from flamingo.serving.support_sets import SupportSets


@dataclass
class Service:
    """The engine, the stores, and what is known of the model.

    Attributes:
        engine: answers.
        limits: what one request may ask.
        model: the name under which the model is served.
        media: reads visuals.
        remote: fetches URLs.
        keys: who may ask.
        support_sets: kept by name.
        files: that were uploaded.
        conversations: from messages to prompts.
        metrics: what is counted.
        host_names: by which the server is asked.
        is_stopping: whether only what was accepted is finished.
    """

    engine: Engine
    limits: Limits
    model: str
    media: MediaReader
    remote: RemoteFiles
    keys: Keys
    support_sets: SupportSets
    files: UploadedFiles
    conversations: Conversations
    metrics: Metrics
    host_names: HostNames
    is_stopping: bool = False

    @classmethod
    def of(
        cls,
        engine: Engine,
        limits: Limits,
        *,
        model: str = "miniature",
        keys: Keys | None = None,
        remote: RemoteFiles | None = None,
        support_sets: Path | None = None,
        host_names: HostNames | None = None,
    ) -> Service:
        """The service of an engine.

        Args:
            engine: answers; it is started by who has made it.
            limits: what requests may ask.
            model: the name under which the model is served.
            keys: one of which each request needs; anyone may ask without them.
            remote: fetches URLs; they are refused without it.
            support_sets: a folder in which support sets outlive the server.
            host_names: by which it is asked; numbers and localhost, if not given.
        """
        processor = engine.predictor.processor
        remote = RemoteFiles((), limits) if remote is None else remote
        return cls(
            engine,
            limits,
            model,
            MediaReader(limits, image_processor=processor.image_processor, remote=remote),
            remote,
            Keys(()) if keys is None else keys,
            SupportSets(limits, support_sets),
            UploadedFiles(limits),
            Conversations(processor),
            Metrics(engine),
            HostNames() if host_names is None else host_names,
        )

    @property
    def templates(self) -> dict[str, Template]:
        """By name, as the model's examples are written."""
        return self.engine.predictor.templates
