"""Dataclasses as plain dictionaries, JSON and YAML, read back strictly, written atomically."""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

import yaml

from flamingo.foundation.errors import ConfigError, nearest

Record = TypeVar("Record")


def to_plain(value: Any) -> Any:
    """Turns a dataclass, and everything in it, into dictionaries, lists and scalars."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    return value


def from_plain(kind: type[Record], plain: Any, path: str = "") -> Record:
    """Builds the dataclass `kind` from what `to_plain` gave; fields left out keep their defaults.

    Args:
        kind: the dataclass to build.
        plain: a mapping from field names to plain values.
        path: where `plain` stands in a larger record, for error messages.

    Raises:
        ConfigError: an unknown field, a missing one, or a value of another type.
    """
    if not isinstance(plain, Mapping):
        where = path or kind.__name__
        raise ConfigError(f"{where} should be a section with fields, not {plain!r}.")
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}  # type: ignore[arg-type]
    hints = typing.get_type_hints(kind)
    for name in plain:
        if name not in fields:
            raise ConfigError(f"There is no setting {_join(path, name)!r}. {nearest(name, fields)}")
    for name, field in fields.items():
        has_default = (
            field.default is not dataclasses.MISSING
            or field.default_factory is not dataclasses.MISSING
        )
        if name not in plain and not has_default:
            raise ConfigError(f"The setting {_join(path, name)!r} is missing; it has no default.")
    values = {name: convert(plain[name], hints[name], _join(path, name)) for name in plain}
    return kind(**values)


def convert(value: Any, kind: Any, path: str) -> Any:
    """Reads a plain value as the annotated type `kind`: exact, except that an int is a float too.

    Raises:
        ConfigError: the value is not of that type; the message names `path`.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return value
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return from_plain(kind, value, path)
    if origin in (Union, types.UnionType):
        return _convert_union(value, arguments, path)
    if origin is Literal:
        if value not in arguments:
            known = nearest(str(value), [str(argument) for argument in arguments])
            raise ConfigError(f"{path} cannot be {value!r}. {known}")
        return value
    if origin is tuple and isinstance(value, (list, tuple)):
        return _convert_tuple(value, arguments, path)
    if origin is list and isinstance(value, (list, tuple)):
        return [convert(item, arguments[0], f"{path}[{i}]") for i, item in enumerate(value)]
    if origin in (dict, Mapping) and isinstance(value, Mapping):
        items = value.items()
        return {str(key): convert(item, arguments[1], _join(path, key)) for key, item in items}
    return _convert_scalar(value, kind, path)


def override(record: Record, assignments: Iterable[str]) -> Record:
    """Returns a copy of a nested dataclass with `section.field=value` assignments applied in order.

    Values are written as in YAML: `3`, `1e-4`, `true`, `null`, `[1, 2]`, `cosine`.

    Raises:
        ConfigError: an assignment without `=`, an unknown field, or a value of another type.
    """
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise ConfigError(
                f"{assignment!r} is not an assignment. Write section.field=value, "
                f"for instance training.steps=100."
            )
        record = _assign(record, name.strip().split("."), _parse(text, assignment), "")
    return record


def read_yaml(path: Path) -> Any:
    """Reads a YAML (or JSON) file into plain values.

    Raises:
        ConfigError: the file is missing or is not YAML.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"There is no file {path}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not readable as YAML: {error}") from error


def yaml_text(value: Any) -> str:
    """The YAML text of a dataclass or of plain values, fields in their own order."""
    return yaml.safe_dump(to_plain(value), sort_keys=False, allow_unicode=True)


def json_text(value: Any) -> str:
    """The indented JSON text of a dataclass or of plain values."""
    return json.dumps(to_plain(value), indent=2, ensure_ascii=False) + "\n"


def write_text_atomically(path: Path, text: str) -> None:
    """Writes a whole file or nothing: a reader, or a crash, never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes private files; give the result the rights any new file would have.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _assign(record: Any, names: list[str], value: Any, path: str) -> Any:
    here = _join(path, names[0])
    if not dataclasses.is_dataclass(record) or isinstance(record, type):
        raise ConfigError(f"{path!r} is a single value; it has no setting {here!r} inside.")
    fields = [field.name for field in dataclasses.fields(record) if field.init]
    if names[0] not in fields:
        raise ConfigError(f"There is no setting {here!r}. {nearest(names[0], fields)}")
    old = getattr(record, names[0])
    if len(names) > 1:
        new = _assign(old, names[1:], value, here)
    else:
        new = convert(value, typing.get_type_hints(type(record))[names[0]], here)
    return dataclasses.replace(record, **{names[0]: new})


def _parse(text: str, assignment: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"The value in {assignment!r} is not readable as YAML.") from error


def _convert_union(value: Any, kinds: tuple[Any, ...], path: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    reasons = []
    for kind in kinds:
        if kind is type(None):
            continue
        try:
            return convert(value, kind, path)
        except ConfigError as error:
            reasons.append(str(error))
    raise ConfigError(" Or: ".join(reasons))


def _convert_tuple(value: Any, kinds: tuple[Any, ...], path: str) -> tuple[Any, ...]:
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(convert(item, kinds[0], f"{path}[{i}]") for i, item in enumerate(value))
    if len(value) != len(kinds):
        raise ConfigError(f"{path} needs {len(kinds)} values, not {len(value)}: {value!r}.")
    pairs = enumerate(zip(value, kinds, strict=True))
    return tuple(convert(item, kind, f"{path}[{i}]") for i, (item, kind) in pairs)


def _convert_scalar(value: Any, kind: Any, path: str) -> Any:
    if kind is float and isinstance(value, (int, str)) and not isinstance(value, bool):
        # YAML 1.1 reads 1e-4 (no dot) as text; people mean the number.
        try:
            return float(value)
        except ValueError:
            pass
    elif kind is Path and isinstance(value, (str, Path)):
        return Path(value)
    elif type(value) is kind:
        return value
    expected = getattr(kind, "__name__", str(kind))
    raise ConfigError(f"{path} should be of type {expected}, not {value!r}.")


def _join(path: str, name: Any) -> str:
    return f"{path}.{name}" if path else str(name)
