"""Dataclasses as plain dictionaries, JSON and YAML, read back strictly, written atomically."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

import yaml

from flamingo.foundation.errors import ConfigError, nearest
from flamingo.foundation.whole_files import write_bytes_whole

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
    for name in _required(kind):
        if name not in plain:
            raise ConfigError(f"The setting {_join(path, name)!r} is missing; it has no default.")
    values = {name: convert(plain[name], hints[name], _join(path, name)) for name in plain}
    return kind(**values)


def convert(value: Any, kind: Any, path: str) -> Any:
    """Reads a plain value as the annotated type `kind`: exact, except that an int is a float too.

    An entry of a mapping that is null, where values are not, is left out.

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
        return {
            str(key): convert(item, arguments[1], _join(path, key))
            for key, item in value.items()
            if item is not None or _admits_none(arguments[1])
        }
    return _convert_scalar(value, kind, path)


def override(record: Record, assignments: Iterable[str]) -> Record:
    """Returns a copy of a nested dataclass with `section.field=value` assignments applied.

    Values are written as in YAML: `3`, `1e-4`, `true`, `null`, `[1, 2]`, `cosine`. Where two name
    the same field, the later one counts. In a mapping, a name that is new makes a new entry out of
    all that is assigned to it, and `null` removes an entry.

    Raises:
        ConfigError: an assignment without `=`, an unknown field, or a value of another type.
    """
    whole = _Assigned()
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise ConfigError(
                f"{assignment!r} is not an assignment. Write section.field=value, "
                f"for instance training.steps=100."
            )
        whole.assign(name.strip().split("."), _parse(text, assignment))
    return _updated(record, type(record), whole, "")


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
    write_bytes_whole(path, text.encode("utf-8"))


_NOTHING: Any = object()


@dataclasses.dataclass
class _Assigned:
    """What is assigned to one place of a record: a value as a whole, then values inside of it."""

    value: Any = _NOTHING
    inside: dict[str, _Assigned] = dataclasses.field(default_factory=dict)
    is_known: bool = False

    def assign(self, names: list[str], value: Any) -> None:
        if names:
            self.is_known = True
            self.inside.setdefault(names[0], _Assigned()).assign(names[1:], value)
        else:
            self.value, self.inside = value, {}

    def plain(self) -> Any:
        if not self.inside:
            return self.value
        base = self.value if isinstance(self.value, Mapping) else {}
        return {**base, **{name: inner.plain() for name, inner in self.inside.items()}}


def _updated(old: Any, kind: Any, assigned: _Assigned, path: str) -> Any:
    """What stood at `path`, declared as `kind`, after what was assigned to it."""
    if assigned.value is not _NOTHING:
        old = convert(assigned.value, kind, path)
    if not assigned.inside:
        return old
    if dataclasses.is_dataclass(old) and not isinstance(old, type):
        return _with_fields(old, assigned, path)
    if isinstance(old, Mapping):
        return _with_entries(old, kind, assigned, path)
    sections = [one for one in (kind, *typing.get_args(kind)) if dataclasses.is_dataclass(one)]
    if old is None and sections:
        return convert(assigned.plain(), sections[0], path)
    inner = _join(path, next(iter(assigned.inside)))
    raise ConfigError(f"{path!r} is a single value; it has no setting {inner!r} inside.")


def _with_fields(record: Any, assigned: _Assigned, path: str) -> Any:
    fields = [field.name for field in dataclasses.fields(record) if field.init]
    hints = typing.get_type_hints(type(record))
    changed = {}
    for name, inner in assigned.inside.items():
        here = _join(path, name)
        if name not in fields:
            raise ConfigError(f"There is no setting {here!r}. {nearest(name, fields)}")
        changed[name] = _updated(getattr(record, name), hints[name], inner, here)
    return dataclasses.replace(record, **changed)


def _with_entries(old: Mapping[str, Any], kind: Any, assigned: _Assigned, path: str) -> Any:
    kinds = (kind, *typing.get_args(kind))
    mapping = next(one for one in kinds if typing.get_origin(one) in (dict, Mapping))
    entries, item_kind = dict(old), typing.get_args(mapping)[1]
    for name, inner in assigned.inside.items():
        here = _join(path, name)
        if inner.value is None and not _admits_none(item_kind):
            if name not in entries and not inner.is_known:
                raise ConfigError(f"There is no {here!r} to remove. {nearest(name, entries)}")
            entries.pop(name, None)
            if not inner.inside:
                continue
            inner = _Assigned(inside=inner.inside)
        if name in entries or inner.value is not _NOTHING:
            entries[name] = _updated(entries.get(name), item_kind, inner, here)
        else:
            _check_complete(item_kind, inner, here, entries)
            entries[name] = convert(inner.plain(), item_kind, here)
    return entries


def _check_complete(kind: Any, assigned: _Assigned, path: str, known: Iterable[str]) -> None:
    """A new entry is often a misspelled old one: the error shows both ways out."""
    if missing := [name for name in _required(kind) if name not in assigned.inside]:
        raise ConfigError(
            f"There is no {path!r} yet, and a new one also needs {', '.join(missing)}, for "
            f"instance {path}.{missing[0]}=…. {nearest(path.rpartition('.')[2], known)}"
        )


def _required(kind: Any) -> list[str]:
    """The fields that must be given, where `kind` is a dataclass."""
    fields = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
    missing = dataclasses.MISSING
    return [f.name for f in fields if f.init and f.default is f.default_factory is missing]


def _admits_none(kind: Any) -> bool:
    return kind is Any or type(None) in typing.get_args(kind)


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
