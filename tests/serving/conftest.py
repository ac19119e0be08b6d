"""A server of the miniature that all tests of the API share, and pictures that it knows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flamingo.inference.predictor import Predictor
from flamingo.serving.api.service import Service
from flamingo.serving.engine import Engine
from flamingo.serving.limits import Limits
from tests.serving.api.running import Running, serving


@pytest.fixture(scope="session")
def miniature() -> Predictor:
    return Predictor.from_pretrained("miniature", dtype="steady")


@pytest.fixture(scope="session")
def engine(miniature: Predictor) -> Iterator[Engine]:
    engine = Engine(miniature, Limits())
    engine.start()
    yield engine
    engine.stop(0.0)


@pytest.fixture
def service(engine: Engine) -> Service:
    return Service.of(engine, Limits())


@pytest.fixture(scope="session")
def server(engine: Engine) -> Iterator[Running]:
    """On a free port, without keys."""
    with serving(Service.of(engine, Limits())) as running:
        yield running
