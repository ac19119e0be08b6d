"""Visual tokens on disk: exactly what was put in, whoever writes and whatever is killed."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor

import flamingo
from flamingo.foundation.errors import DataError
from flamingo.inference.visual_store import VisualStore

KEYS = [f"{number:02x}{'0' * 30}" for number in range(6)]


def tokens(dtype: torch.dtype = torch.float32, seed: int = 0) -> Tensor:
    values = torch.randn(4, 6, generator=torch.Generator().manual_seed(seed))
    values[0, :3] = torch.tensor([-0.0, float("inf"), float("nan")])
    return values.to(dtype)


def is_same(one: Tensor | None, other: Tensor) -> bool:
    """Bit by bit, NaN and signed zeros too."""
    return (
        one is not None
        and (one.dtype, one.shape) == (other.dtype, other.shape)
        and torch.equal(one.view(torch.uint8), other.contiguous().view(torch.uint8))
    )


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_what_was_put_in_comes_out_bit_by_bit(tmp_path: Path, dtype: torch.dtype) -> None:
    store = VisualStore(tmp_path / "new", "eyes")
    assert store.get(KEYS[0]) is None
    store.put(KEYS[0], tokens(dtype))
    store.put(KEYS[1], tokens(dtype, seed=1).requires_grad_())
    for one in (store, VisualStore(tmp_path / "new", "eyes")):
        assert is_same(one.get(KEYS[0]), tokens(dtype))
        assert is_same(one.get(KEYS[1]), tokens(dtype, seed=1))
        assert one.get(KEYS[2]) is None
    assert [path.stem for path in files(tmp_path)] == KEYS[:2]


def test_a_part_of_a_tensor_is_kept_without_the_rest(tmp_path: Path) -> None:
    store, whole = VisualStore(tmp_path, "eyes"), torch.randn(1000, 6, 4)
    store.put(KEYS[0], whole[7])
    store.put(KEYS[1], whole[8].T)
    assert is_same(store.get(KEYS[0]), whole[7])
    assert is_same(store.get(KEYS[1]), whole[8].T)
    assert all(path.stat().st_size < 1000 for path in files(tmp_path))


def test_the_last_one_put_in_stays(tmp_path: Path) -> None:
    store = VisualStore(tmp_path, "eyes")
    store.put(KEYS[0], tokens(seed=1))
    store.put(KEYS[0], tokens(torch.bfloat16, seed=2))
    assert is_same(store.get(KEYS[0]), tokens(torch.bfloat16, seed=2))
    assert len(files(tmp_path)) == 1


def test_other_eyes_see_nothing_of_it(tmp_path: Path) -> None:
    VisualStore(tmp_path, "eyes").put(KEYS[0], tokens())
    other = VisualStore(tmp_path, "better eyes")
    assert other.get(KEYS[0]) is None
    other.put(KEYS[0], tokens(seed=1))
    assert is_same(VisualStore(tmp_path, "eyes").get(KEYS[0]), tokens())


def flipped(content: bytes, place: int) -> bytes:
    place %= len(content)
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def reshaped(content: bytes) -> bytes:
    end = content.index(b"]", content.index(b'"shape":'))
    assert content[end - 4 : end] == b"[4,6"
    return content[: end - 4] + b"[6,4" + content[end:]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda content: content[:-5],
    "cut in its header": lambda content: content[:20],
    "emptied": lambda content: b"",
    "zeroed": lambda content: bytes(len(content)),
    "zeroed at its end": lambda content: content[:-12] + bytes(12),
    "longer": lambda content: content + b"\0" * 8,
    "one bit": lambda content: flipped(content, -1),
    "one bit of its header": lambda content: flipped(content, 12),
    "another shape": reshaped,
    "another number format": lambda content: content.replace(b'"F32"', b'"I32"'),
    "foreign": lambda content: b"something else of a certain length",
    "foreign tensors": lambda content: save({"tokens": torch.zeros(4, 6)}),
    "foreign notes": lambda content: save({"tokens": load(content)["tokens"]}, {"about": "7"}),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_told_and_written_again(tmp_path: Path, damage: str) -> None:
    store = VisualStore(tmp_path, "eyes")
    store.put(KEYS[0], tokens())
    (path,) = files(tmp_path)
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    with pytest.warns(UserWarning, match=f"{path.name} does not hold .* computed again") as told:
        assert store.get(KEYS[0]) is None
    assert len(told) == 1
    store.put(KEYS[0], tokens())
    assert is_same(store.get(KEYS[0]), tokens())


@pytest.mark.parametrize("place", ["another visual", "another model"])
def test_a_file_in_a_wrong_place_is_told(tmp_path: Path, place: str) -> None:
    store, other = VisualStore(tmp_path, "eyes"), VisualStore(tmp_path, "better eyes")
    store.put(KEYS[0], tokens())
    (path,) = files(tmp_path)
    asked, key = (store, KEYS[1]) if place == "another visual" else (other, KEYS[0])
    asked.put(key, tokens(seed=1))
    (wrong,) = set(files(tmp_path)) - {path}
    wrong.write_bytes(path.read_bytes())
    with pytest.warns(UserWarning, match="the checksum, the visual or the model is another"):
        assert asked.get(key) is None


def test_of_a_writer_that_is_stopped_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = VisualStore(tmp_path, "eyes")

    def stopped(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", stopped)
        with pytest.raises(KeyboardInterrupt):
            store.put(KEYS[0], tokens())
    assert store.get(KEYS[0]) is None
    assert not files(tmp_path)


def test_a_full_disk_is_told_and_leaves_no_half_file(tmp_path: Path) -> None:
    store = VisualStore(tmp_path, "eyes")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # A real end of the room: the operating system writes 100 bytes, and no more.
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(DataError) as told:
            store.put(KEYS[0], tokens())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    for part in ("96 bytes", str(tmp_path), "File too large", "Make room"):
        assert part in str(told.value)
    assert not files(tmp_path)


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("not a folder")
    for folder in (path, path / "below"):
        store = VisualStore(folder, "eyes")
        with pytest.raises(DataError, match=f"^{path} is a file, but .* kept in a folder"):
            store.get(KEYS[0])
        with pytest.raises(DataError, match=f"^{path} is a file, but .* kept in a folder"):
            store.put(KEYS[0], tokens())
    assert path.read_text() == "not a folder"


def test_a_file_in_place_of_the_models_own_folder_is_told(tmp_path: Path) -> None:
    store = VisualStore(tmp_path, "eyes")
    store.put(KEYS[0], tokens())
    (own,) = tmp_path.iterdir()
    shutil.rmtree(own)
    own.write_text("not a folder")
    with pytest.raises(DataError, match=f"^{own} is a file"):
        store.put(KEYS[0], tokens())


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may write everywhere")
def test_a_folder_that_is_read_only_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(DataError, match=r"Permission denied.\n.*the right to write"):
        VisualStore(tmp_path, "eyes").put(KEYS[0], tokens())


def test_threads_that_write_the_same_leave_whole_files(tmp_path: Path) -> None:
    kinds = [tokens(seed=seed) for seed in range(4)]

    def work(own: Tensor) -> None:
        store = VisualStore(tmp_path, "eyes")
        for _ in range(10):
            for key in KEYS:
                found = store.get(key)
                assert found is None or any(is_same(found, kind) for kind in kinds)
                store.put(key, own)

    with ThreadPoolExecutor(len(kinds)) as pool:
        list(pool.map(work, kinds))
    assert [path.name for path in files(tmp_path)] == [f"{key}.safetensors" for key in KEYS]
    store = VisualStore(tmp_path, "eyes")
    assert all(any(is_same(store.get(key), kind) for kind in kinds) for key in KEYS)


WRITER = """
import os, signal, sys, types
# Without the package's own imports a process starts in a third of the time.
package = types.ModuleType("flamingo")
package.__path__ = [sys.argv[1]]
sys.modules["flamingo"] = package
import torch
from pathlib import Path
from flamingo.inference.visual_store import VisualStore

store, keys = VisualStore(Path(sys.argv[2]), "eyes"), sys.argv[3:]
print("ready", flush=True)
sys.stdin.readline()
for _ in range(50):
    for key in keys[:-1]:
        store.put(key, torch.full((64, 256), 2, dtype=torch.bfloat16))
        assert store.get(key).unique().tolist() in ([1], [2])
os.replace = lambda *args: os.kill(os.getpid(), signal.SIGKILL)
store.put(keys[-1], torch.zeros(64, 256))
"""


def test_two_processes_that_write_the_same_leave_whole_files_even_if_killed(tmp_path: Path) -> None:
    store, own = VisualStore(tmp_path, "eyes"), torch.full((64, 256), 1, dtype=torch.bfloat16)

    def is_whole(key: str) -> bool:
        found = store.get(key)
        return found is not None and found.unique().tolist() in ([1], [2])

    package = str(Path(flamingo.__file__).parent)
    # A warning of a damaged file would end the process otherwise than it does.
    program = [sys.executable, "-W", "error", "-c", WRITER, package, str(tmp_path), *KEYS]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == b"ready\n"
        other.stdin.write(b"go\n")
        other.stdin.flush()
        while other.poll() is None:
            for key in KEYS[:-1]:
                store.put(key, own)
                assert is_whole(key)
    assert other.returncode == -signal.SIGKILL
    assert all(is_whole(key) for key in KEYS[:-1])
    (unfinished,) = (path for path in files(tmp_path) if path.suffix != ".safetensors")
    assert unfinished.name.startswith(KEYS[-1])
    assert store.get(KEYS[-1]) is None
    store.put(KEYS[-1], tokens())
    assert is_same(store.get(KEYS[-1]), tokens())
