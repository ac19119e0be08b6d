"""What is counted, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from importlib import metadata

from fastapi import APIRouter
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import PlainTextResponse, Response

from flamingo.serving.engine import Engine
from flamingo.serving.events import Usage

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)


class Metrics:
    """Counters of one server, apart from those of any other in the process.

    Args:
        engine: whose state is told when it is asked for.
    """

    def __init__(self, engine: Engine) -> None:
        self._registry = CollectorRegistry()
        self._requests = self._counter("requests", "Requests by what came of them", "status")
        self._seconds = Histogram(
            "flamingo_request_seconds",
            "From the first byte of a request to the last of its answer",
            ["route"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._queue_seconds = Histogram(
            "flamingo_queue_seconds",
            "That a job waited before work on it began",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._refused = Counter(
            "flamingo_refused_busy", "Requests answered with 429", registry=self._registry
        )
        self._used = {
            name: Counter(f"flamingo_{name}", text, registry=self._registry)
            for name, text in (
                ("prompt_tokens", "Of all prompts, cached ones included"),
                ("cached_prompt_tokens", "That had been read for an earlier job"),
                ("new_tokens", "That were written or scored"),
                ("visuals", "In all prompts"),
                ("jobs", "That were done"),
            )
        }
        build = Info("flamingo_build", "What is running", registry=self._registry)
        build.info({"version": metadata.version("flamingo-vlm")})
        self._registry.register(_EngineState(engine))

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        names = ["method", "route", *labels]
        return Counter(f"flamingo_{name}", text, names, registry=self._registry)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts a request that is over."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        if status == 429:
            self._refused.inc()

    def used(self, usage: Usage) -> None:
        """Counts a job that is done."""
        self._used["prompt_tokens"].inc(usage.prompt_tokens)
        self._used["cached_prompt_tokens"].inc(usage.cached_tokens)
        self._used["new_tokens"].inc(usage.new_tokens)
        self._used["visuals"].inc(usage.num_visuals)
        self._used["jobs"].inc()
        self._queue_seconds.observe(usage.queue_seconds)

    def text(self) -> bytes:
        """All of it as Prometheus reads it."""
        return generate_latest(_WithoutMoments(self._registry))

    def router(self) -> APIRouter:
        """Where it is read."""
        router = APIRouter(tags=["server"])

        @router.get(
            "/metrics",
            response_class=PlainTextResponse,
            summary="Counters, as Prometheus reads them",
        )
        def metrics() -> Response:
            return Response(self.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

        return router


class _WithoutMoments(Collector):
    """What a registry has, but for the moment since when each series is counted.

    These would be as many series again. The library can leave them out for a whole process only.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        """Its metrics."""
        for metric in self._registry.collect():
            moment = f"{metric.name}_created"
            metric.samples = [sample for sample in metric.samples if sample.name != moment]
            yield metric


class _EngineState(Collector):
    """The engine's own numbers, read when they are asked for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One gauge for each number."""
        for name, value in asdict(self._engine.stats()).items():
            if isinstance(value, int | float):
                text = f"The engine's {name.replace('_', ' ')}"
                yield GaugeMetricFamily(f"flamingo_engine_{name}", text, float(value))
        yield GaugeMetricFamily(
            "flamingo_engine_alive",
            "Whether the engine's thread runs",
            float(self._engine.is_alive),
        )
