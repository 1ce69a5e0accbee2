# make demo: look around. make test: every test that needs nothing but Python. make check: style, types and import
# contracts. make test-servers: the tests that need Debian packages (Dovecot, Postfix, Cyrus, Courier, notmuch, GNOME
# Keyring, tmux, zsh, fish, man, groff) or mount a disk. .ci/run installs the packages and runs all of these.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
NEEDS_DEBIAN := servers or keyring or tty or shells or mount
JOBS ?= auto

.PHONY: demo test test-servers check screenshots docs clean

demo: $(VENV)/ready
	@$(BIN)/termmail demo

test: $(VENV)/ready-dev
	$(BIN)/python -m pytest -n $(JOBS) -m "not ($(NEEDS_DEBIAN))"

test-servers: $(VENV)/ready-dev
	$(BIN)/python -m pytest -n $(JOBS) -m "$(NEEDS_DEBIAN)"

check: $(VENV)/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

screenshots: $(VENV)/ready-dev
	$(BIN)/python screenshots/make.py

docs: $(VENV)/ready-dev
	$(BIN)/python docs/make.py

$(VENV)/ready: pyproject.toml
	@echo "Setting up $(VENV) (once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --editable .
	@touch $@

$(VENV)/ready-dev: pyproject.toml
	@echo "Setting up $(VENV) with the test tools (once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/ready

clean:
	rm -rf $(VENV) .venv-* build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
