"""The members of one sample, from its part of a shard."""

from __future__ import annotations

import io
import tarfile
from functools import partial

from flamingo.data.datasets.addresses import beside, is_remote, read_file
from flamingo.data.datasets.raw_samples import BrokenSample, RawSample, printable
from flamingo.data.datasets.scanning import split_name
from flamingo.foundation.errors import DataError

_END_MARK = bytes(2 * tarfile.BLOCKSIZE)


def sample_of_tar(content: bytes, address: str, start: int) -> RawSample:
    """One sample of a tar.

    Its headers are read again here: they also tell whether the shard is still the same.

    Args:
        content: the sample's part of the shard.
        address: of the shard.
        start: where in the shard this part begins.

    Raises:
        BrokenSample: it has two members of one name, a link, or is no part of a tar at all.
    """
    members: dict[str, bytes] = {}
    key = ""
    where = printable(f"{address}: the sample at byte {start:,}")
    try:
        with tarfile.open(fileobj=io.BytesIO(content + _END_MARK), mode="r:") as tar:
            for member in tar:
                split = split_name(member.name)
                if split is None or member.isdir():
                    continue
                key, ending = split
                where = printable(f"{address}: {key}")
                if not member.isreg():
                    raise BrokenSample(f"{member.name} is a link, not a file", where)
                if ending in members:
                    raise BrokenSample(f"it has two members {ending}", where)
                data = member.offset_data
                members[ending] = content[data : data + member.size]
    except tarfile.TarError as error:
        raise BrokenSample(f"the shard has changed since it was indexed: {error}", where) from error
    if not members:
        raise BrokenSample("the shard has changed since it was indexed", where)
    return RawSample(where, tuple(members), partial(_member, members, key))


def _member(members: dict[str, bytes], key: str, name: str) -> bytes:
    """A member by its ending, by its base name, or by its whole name."""
    base = key.rpartition("/")[2]
    for prefix in ("", f"{base}.", f"{key}."):
        ending = name.removeprefix(prefix).lower()
        if ending in members:
            return members[ending]
    raise BrokenSample(f"there is no member {name}, only {', '.join(members)}")


def sample_of_line(content: bytes, address: str, position: int) -> RawSample:
    """One line of a file; what it names is read when it is asked for."""
    where = f"{address}, line {position + 1}"
    return RawSample(where, ("json",), partial(_line_or_file, content, address))


def _line_or_file(line: bytes, address: str, name: str) -> bytes:
    if name == "json":
        return line
    return read_beside(address, name)


def read_beside(address: str, name: str) -> bytes:
    """A file by its path relative to the file that names it.

    Raises:
        BrokenSample: there is none, or it is named by an address of its own.
    """
    if is_remote(name) or name.startswith("data:"):
        raise BrokenSample(f"{name[:200]} is an address; give a path relative to {address}")
    try:
        return read_file(beside(address, name))
    except FileNotFoundError as error:
        raise BrokenSample(f"there is no file {name}") from error
    except (OSError, ValueError, DataError) as error:
        raise BrokenSample(f"{name} cannot be read: {error}") from error
