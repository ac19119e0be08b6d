from __future__ import annotations

import hmac
import logging
from pathlib import Path

import pytest

from flamingo.foundation.errors import ConfigError
from flamingo.serving.errors import KeyRefused
from flamingo.serving.keys import Keys

ONE, OTHER = "a-key-of-some-length", "another-key-of-some-length"


def test_without_keys_the_server_is_open() -> None:
    keys = Keys([])
    assert not keys
    assert keys.owner(None) == keys.owner("Bearer whatever") == ""


def test_each_key_has_an_owner() -> None:
    keys = Keys([ONE, OTHER])
    name = keys.owner(f"Bearer {ONE}")
    assert keys
    assert name == keys.owner(f"bearer  {ONE} ") == Keys([OTHER, ONE]).owner(f"Bearer {ONE}")
    assert name != keys.owner(f"Bearer {OTHER}")
    assert len(name) < 30
    assert not any(part in name for part in ONE.split("-")[2:])


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        ONE,
        f"Basic {ONE}",
        f"Bearer {ONE}x",
        f"Bearer {ONE[:-1]}",
        f"Bearer {ONE} {OTHER}",
        f"Bearer {ONE.upper()}",
        "Bearer \ud800",
        "Bearer é",
        f"Bearer{ONE}",
    ],
)
def test_other_headers_are_refused(header: str | None) -> None:
    with pytest.raises(KeyRefused) as caught:
        Keys([ONE, OTHER]).owner(header)
    assert ONE not in str(caught.value)


def test_every_key_is_compared_whichever_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", compare)
    keys = Keys([ONE, OTHER])
    for key in (ONE, OTHER):
        keys.owner(f"Bearer {key}")
    with pytest.raises(KeyRefused):
        keys.owner("Bearer x")
    assert compared == [(32, 32)] * 6


@pytest.mark.parametrize(
    "key", ["", "short", "x" * 15, "é" * 20, "with a space in it", "x" * 20 + "\n"]
)
def test_keys_that_are_none(key: str) -> None:
    with pytest.raises(ConfigError, match="key 2 of 2") as caught:
        Keys([ONE, key])
    assert not key or key not in str(caught.value)


def test_a_file_of_keys(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "keys"
    path.write_text(f"# of the team\n\n{ONE}  # Ada\n  {OTHER}\n")
    path.chmod(0o600)
    with caplog.at_level(logging.WARNING):
        keys = Keys.read(path)
    assert keys.owner(f"Bearer {ONE}") == Keys([ONE]).owner(f"Bearer {ONE}")
    assert keys.owner(f"Bearer {OTHER}")
    assert not caplog.records
    path.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        Keys.read(path)
    assert "chmod 600" in caplog.text
    assert ONE not in caplog.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no key"),
        ("# none\n", "has no key"),
        (f"{ONE}\nshort\n", "in line 2"),
        ("two words-in-one-line", "space"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "keys"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=message):
        Keys.read(path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for path in (tmp_path, tmp_path / "missing", tmp_path / "bytes"):
        with pytest.raises(ConfigError, match="cannot be read"):
            Keys.read(path)
