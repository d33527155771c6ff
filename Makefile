# Eight verbs. Each installs what it needs, into .venv, from the locked lists.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup check test demo run bench docs lock

setup: .venv/.dev

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Lapak needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv .venv \
	  || { rm -rf .venv; echo "This Python cannot make a virtual environment; on Debian: apt install python3-venv" >&2; exit 1; }

.venv/.run: requirements.lock pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

check: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: .venv/.dev
	$(BIN)/python -m pytest --numprocesses=2 --dist=worksteal $(ARGS)

demo: .venv/.run
	$(BIN)/lapak demo $(ARGS)

run: .venv/.run
	$(BIN)/lapak run $(ARGS)

bench: .venv/.dev
	$(BIN)/python -m benchmarks $(ARGS)

# Draws the diagram in docs/order-life.md anew.
docs: .venv/.dev
	$(BIN)/python -m tests.repo.order_life

# Needs uv. Hashes of every file of every release, for every Python from 3.11; no registry address.
lock:
	printf 'hatchling>=1.27\neditables>=0.5\n' | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header pyproject.toml - -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-header --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock
