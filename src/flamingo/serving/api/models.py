"""`/v1/models`: what answers, and what it takes."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from flamingo.inference.attention_maps import has_attention_maps
from flamingo.serving.api.asked import check_model
from flamingo.serving.api.bodies import json_answer
from flamingo.serving.api.service import Service


class FlamingoFacts(BaseModel):
    """What a client of `/v1/few_shot` wants to know.

    Templates come with the fields of a support, its answer last.
    """

    templates: dict[str, list[str]]
    limits: dict[str, int | float]
    has_attention: bool
    accepts: list[str]


class ModelObject(BaseModel):
    """A model."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "flamingo"
    flamingo: FlamingoFacts


class ModelList(BaseModel):
    """The one model that is served."""

    object: Literal["list"] = "list"
    data: list[ModelObject]


def model_router(service: Service) -> APIRouter:
    """The routes, for this service."""
    router = APIRouter(prefix="/v1/models", tags=["models"])
    served = ModelObject(
        id=service.model,
        created=int(time.time()),
        flamingo=FlamingoFacts(
            templates={
                name: [*template.fields, template.answer]
                for name, template in service.templates.items()
            },
            limits=asdict(service.limits),
            has_attention=has_attention_maps(service.engine.predictor.model.config),
            accepts=["text", "image", "video"],
        ),
    )

    @router.get("", response_model=ModelList, summary="List the model that is served")
    async def list_all() -> Response:
        """There is one."""
        return json_answer(ModelList(data=[served]))

    @router.get("/{model_id:path}", response_model=ModelObject, summary="Describe the model")
    async def get(model_id: str) -> Response:
        """Tells its templates and limits."""
        check_model(service, model_id)
        return json_answer(served)

    return router
