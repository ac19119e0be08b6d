"""Reads the form of an upload. Nothing of it is written to the disk."""

from __future__ import annotations

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from flamingo.foundation.errors import FlamingoError
from flamingo.serving.api.error_answers import Refused

_FIELDS = 8
_FIELD_BYTES = 1000


async def upload_of(request: Request, most_bytes: int) -> tuple[bytes, str, str]:
    """The content of the form's file, its name, and the purpose it is for.

    Args:
        request: whose body is the form.
        most_bytes: of the body.

    Raises:
        Refused: it is no such form, or has other fields.
    """
    kind = request.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() != "multipart/form-data":
        raise Refused(
            f"The body is said to be {kind[:80]!r}. Send a form, multipart/form-data.",
            code="unsupported_media_type",
            status=415,
        )
    parser = MultiPartParser(
        request.headers,
        request.stream(),
        max_files=1,
        max_fields=_FIELDS,
        max_part_size=_FIELD_BYTES,
    )
    # A file would else go to a folder for temporary ones, which may be full.
    parser.spool_max_size = most_bytes + 1
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise Refused(f"The form cannot be read: {error.message}") from error
    except FlamingoError:  # there is no room for the body, or none in time
        raise
    except ValueError as error:  # a charset that there is not, or in which a name is not written
        raise Refused("The names in the form cannot be read. Write them in UTF-8.") from error
    try:
        return _content_of(form)
    finally:
        await form.close()


def _content_of(form: FormData) -> tuple[bytes, str, str]:
    file, purpose = form.get("file"), form.get("purpose", "vision")
    others = sorted(set(form) - {"file", "purpose"})
    if others:
        raise Refused(f"There is no field {others[0][:100]!r} here.", others[0][:100])
    if not isinstance(file, UploadFile):
        raise Refused("The field 'file' is missing, or is no file.", "file")
    if not isinstance(purpose, str):
        raise Refused("The field 'purpose' is a file, but should be a word.", "purpose")
    return file.file.read(), file.filename or "file", purpose
