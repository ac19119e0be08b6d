"""`/docs`: the OpenAPI document as one plain page, which needs nothing from elsewhere."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.responses import HTMLResponse, Response

_STYLE = """\
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; border-top: 1px solid; padding-top: 1rem; }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; }
tr { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
td:first-child code { white-space: nowrap; }
@media (max-width: 45rem) {
  tr, td { display: block; }
  tr { padding: .3rem 0; }
  td { padding: 0; overflow-wrap: anywhere; }
}
"""


def docs_router(app: FastAPI) -> APIRouter:
    """The routes, for the OpenAPI document of this app."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    def docs() -> Response:
        return HTMLResponse(docs_page(app.openapi()))

    @router.get("/docs/style.css")
    def style() -> Response:
        return Response(_STYLE, media_type="text/css")

    return router


def docs_page(document: dict[str, Any]) -> str:
    """The page of an OpenAPI document."""
    title = html.escape(document["info"]["title"])
    operations = "".join(
        _operation(method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    )
    schemas = "".join(
        f'<h3 id="{html.escape(name)}"><code>{html.escape(name)}</code></h3>{_schema(schema)}'
        for name, schema in sorted(document["components"]["schemas"].items())
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{title}</title><link rel="stylesheet" href="/docs/style.css"></head><body>'
        f"<h1>{title}</h1><p>{_text(document['info'].get('description'))}</p>"
        '<p>For programs: <a href="/openapi.json">/openapi.json</a></p>'
        f"{operations}<h2>Objects</h2>{schemas}</body></html>"
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    address = f"<code>{method.upper()} {html.escape(path)}</code>"
    takes = "".join(
        f"<p>Takes <code>{html.escape(kind)}</code>: {_type(content['schema'])}</p>"
        + (_schema(content["schema"]) if "properties" in content["schema"] else "")
        for kind, content in operation.get("requestBody", {}).get("content", {}).items()
    )
    gives = "".join(
        f"<tr><td>{html.escape(status)}</td><td>{_text(answer.get('description'))}</td>"
        f"<td>{', '.join(_type(c.get('schema', {})) for c in answer.get('content', {}).values())}"
        "</td></tr>"
        for status, answer in operation["responses"].items()
    )
    return (
        f"<h2>{address}</h2><p><strong>{_text(operation.get('summary'))}.</strong> "
        f"{_text(operation.get('description'))}</p>{takes}<table>{gives}</table>"
    )


def _schema(schema: dict[str, Any]) -> str:
    required = schema.get("required", ())
    rows = "".join(
        f"<tr><td><code>{html.escape(name)}</code>{' *' if name in required else ''}</td>"
        f"<td>{_type(field)}</td><td>{_text(field.get('description'))}</td></tr>"
        for name, field in schema.get("properties", {}).items()
    )
    table = f"<table>{rows}</table>" if rows else ""
    return f"<p>{_text(schema.get('description'))}</p>{table}"


def _type(schema: dict[str, Any]) -> str:
    """What a value is, in a few words."""
    if "$ref" in schema:
        name = html.escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    members = schema.get("anyOf") or schema.get("oneOf")
    if members:
        return " or ".join(_type(member) for member in members)
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return " or ".join(f"<code>{html.escape(str(value))}</code>" for value in values)
    # Bounds of whole numbers are told as if they were none.
    number = int if schema.get("type") == "integer" else str
    bounds = [f"{word} {number(schema[name])}" for name, word in _BOUNDS.items() if name in schema]
    kind = schema.get("title", "object") if "properties" in schema else schema.get("type", "any")
    return html.escape(" ".join([kind, *_readable(bounds)]))


_BOUNDS = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "maxLength": "up to"}


def _readable(bounds: list[str]) -> Iterator[str]:
    yield from (bounds and [f"({', '.join(bounds)})"]) or []


def _text(text: str | None) -> str:
    escaped = html.escape(text or "").replace("\n\n", "<br>")
    return re.sub("`([^`]+)`", r"<code>\1</code>", escaped)
