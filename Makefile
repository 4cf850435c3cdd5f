# Doorward: `make help` lists what there is.

.DEFAULT_GOAL := help
.PHONY: help setup packages clients run test check lint bench docs clean
.DELETE_ON_ERROR:

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
STAMP := .venv/.synced
NODE := tests/clients/node
# Some machines forbid bytecode, and every start would then compile everything again: three times slower.
QUICK := env -u PYTHONDONTWRITEBYTECODE
# A second try trusts the certificates of the machine, which a proxy of the house may need.
SYNC = $(QUICK) $(BIN)/uv sync --locked --compile-bytecode --quiet

help:  ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup  ## Start Doorward with the demo organisation on http://localhost:8000
	@$(QUICK) $(BIN)/doorward demo

setup: $(STAMP)  ## Set up .venv with the locked packages (quick when nothing changed)
	@$(BIN)/python -m compileall -q src

$(STAMP): uv.lock pyproject.toml $(BIN)/uv
	@$(SYNC) 2>/dev/null || $(SYNC) --system-certs
	@touch $@

# uv is fetched into the project's own virtual environment; Debian keeps the venv module in a package of its own.
$(BIN)/uv:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed.") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv 2>/dev/null || { tests/support/packages.sh venv && $(PYTHON) -m venv --clear .venv; }
	@$(BIN)/pip install --quiet --disable-pip-version-check uv

packages:  ## Install the Debian packages that the tests need, where they are missing
	@tests/support/packages.sh

clients: $(NODE)/node_modules/.installed

$(NODE)/node_modules/.installed: $(NODE)/package-lock.json
	@cd $(NODE) && npm ci --no-audit --no-fund --silent
	@touch $@

lint: setup
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/basedpyright --level error
	@$(BIN)/lint-imports --no-logo

# What goes through pages, protocols and servers belongs to `make test`: the inner loop stays under a minute.
UNIT := $(addprefix tests/,apps audit deployment directory keys organization orgfile signin store test_docs.py \
	test_quick_start.py)

check: lint  ## Lint, types, layers and the unit tests, in under a minute
	@$(BIN)/pytest -q -n 2 --dist worksteal -m "not slow" $(UNIT)

test: setup packages clients lint  ## Set up everything and run the whole test suite
	@$(QUICK) $(BIN)/pytest -n 2 --dist worksteal

bench: setup  ## Measure requests, sign-ins and launches, each beside its floor
	@$(QUICK) $(BIN)/python -m bench

docs: setup  ## Write the settings reference from the code
	@$(BIN)/python docs/settings_reference.py

clean:  ## Remove what was set up and the data of the demo
	@rm -rf .venv doorward-demo $(NODE)/node_modules .import_linter_cache .ruff_cache .hypothesis
