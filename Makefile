# Each target does everything that it needs, on a fresh machine too:
#   make demo    prompts the bundled miniature and writes flamingo-demo.html
#   make test    runs the tests
#   make lint    checks format, lint, types and import directions
#   make clean   removes .venv and everything that can be made again

VENV   := .venv
BIN    := $(VENV)/bin
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3,$(shell command -v $(name))))
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test lint clean
.DELETE_ON_ERROR:

demo: $(VENV)/.demo-is-installed
	$(BIN)/flamingo demo

# Bytecode is kept, whatever the environment says: the processes that tests start import the same.
test: $(VENV)/.dev-is-installed
	OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto --maxprocesses 8 --durations 10

lint: $(VENV)/.dev-is-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) build dist flamingo-demo.html
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

# The stamps are newer than the two files that say what to install, or the installation runs again.
$(VENV)/.demo-is-installed: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -e ".[demo]"
	@touch $@

# The tools for development include those of the demo.
$(VENV)/.dev-is-installed: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -e ".[dev]"
	@touch $(VENV)/.demo-is-installed $@

$(BIN)/python:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo 'Flamingo needs Python 3.11 or newer; found: $(or $(shell $(PYTHON) --version 2>&1),no python3 at all).' >&2; \
	  echo 'Install one, or say where it is: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)' >&2; \
	  exit 1; }
	"$(PYTHON)" -m venv $(VENV)
