"""`/health`: whether the server answers."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from flamingo.serving.api.bodies import json_answer
from flamingo.serving.api.service import Service


class Health(BaseModel):
    """How the server is."""

    status: Literal["ok", "stopping", "dead"]


def health_router(service: Service) -> APIRouter:
    """The route, for this service."""
    router = APIRouter(tags=["server"])

    @router.get("/health", response_model=Health, responses={503: {"model": Health}})
    async def health() -> Response:
        """200 if it is well; 503 while it stops, and if the thread that owns the model is dead."""
        if service.is_stopping:
            return json_answer(Health(status="stopping"), 503)
        if not service.engine.is_alive:
            return json_answer(Health(status="dead"), 503)
        return json_answer(Health(status="ok"))

    return router
