"""The layers of the library keep their direction, and start-up stays light."""

from __future__ import annotations

import subprocess
import sys

from tests.house.repository import ROOT


def test_imports_run_downwards() -> None:
    program = "from importlinter.cli import lint_imports_command as lint; lint(['--no-cache'])"
    command = [sys.executable, "-c", program]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_command_line_itself_needs_no_torch() -> None:
    # The package's own __init__ is left out: what it loads is for `import flamingo` to say.
    program = (
        "import sys, types; package = types.ModuleType('flamingo');"
        f"package.__path__ = [{str(ROOT / 'src' / 'flamingo')!r}];"
        "sys.modules['flamingo'] = package;"
        "from flamingo.cli.main import build_parser; build_parser().format_help();"
        "heavy = {'torch', 'transformers', 'timm', 'PIL', 'av'} & set(sys.modules);"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    checked = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
