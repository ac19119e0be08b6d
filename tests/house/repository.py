"""What the house tests look at: the files of this repository."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = {".png", ".jpg", ".gif", ".webm", ".mp4", ".safetensors", ".npz", ".pt", ".ico"}


def project_files() -> list[Path]:
    """The files that belong to the project: tracked, or new and not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = (ROOT / name for name in listing.split("\0") if name)
    return sorted(path for path in paths if path.is_file())


def text_files() -> list[Path]:
    """The project's files that a person can read."""
    return [path for path in project_files() if path.suffix not in BINARY]


def code_blocks(markdown: str, *languages: str) -> list[str]:
    """The contents of fenced code blocks in one of `languages`."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", markdown, flags=re.MULTILINE | re.DOTALL)
    return [body for language, body in blocks if language in languages]


def make_targets() -> set[str]:
    """The targets that the Makefile defines for people."""
    makefile = (ROOT / "Makefile").read_text()
    return {name for line in re.findall(r"^\.PHONY:(.*)$", makefile, re.M) for name in line.split()}
