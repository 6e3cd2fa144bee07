.DEFAULT_GOAL := help
.PHONY: help setup warehouse dev test types sql nightly defects format bench clean

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(READY) ## Make .venv, install the locked versions, parse the dbt project
	@echo "Ready: make warehouse builds the warehouse, make dev opens the UI"

# Prints the elapsed seconds while a long step runs. It checks that the shell of the step still runs,
# and so ends with it.
TICK_S ?= 10
TICKING = n=0; while sleep $(TICK_S) >/dev/null 2>&1 && kill -0 $$$$ 2>/dev/null; do \
  n=$$((n + $(TICK_S))); echo "  $$n s so far"; done & \
  ticks=$$!; trap 'kill $$ticks 2>/dev/null' EXIT; trap 'exit 130' INT TERM;

$(READY): requirements.lock requirements-uv.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v < (3, 14) else f"Kido needs Python 3.11, 3.12 or 3.13; {sys.executable} is {v.major}.{v.minor}. Try: make PYTHON=python3.12 ...")'
	@if test -x $(BIN)/python; then \
	  echo "Using .venv with $$($(BIN)/python --version)"; \
	else \
	  echo "Making .venv with $$($(PYTHON) --version)"; \
	  $(PYTHON) -m venv .venv; \
	fi
	@echo "Installing the locked packages, $$(grep -c '^[a-z].*==' requirements.lock) in requirements.lock"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@$(TICKING) $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	@echo "Installing Kido"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q dagster_project
	@$(BIN)/kido prepare
	@touch $(READY)

warehouse: $(READY) ## Build, audit and publish the warehouse on the bundled figures, print the answers
	@$(BIN)/kido build

dev: $(READY) ## Open the Dagster UI on http://127.0.0.1:3000, or make dev PORT=3001
	@$(BIN)/kido dev $(if $(PORT),--port $(PORT))

test: $(READY) ## Run the checks of every change, the quickest first, until one part fails
	@$(BIN)/python -m tests.parts day

types: $(READY)
	@$(BIN)/mypy

sql: $(READY)
	@$(BIN)/sqlfluff lint dbt --processes 0

nightly: $(READY) ## Run what make test leaves and has not passed yet, or make nightly PART=kills
	@$(BIN)/python -m tests.parts night $(if $(PART),--part $(PART))

defects: $(READY) ## Put 40 defects into copies of the code and see which tests catch them
	@$(BIN)/python -m tests.defects $(OPTIONS)

format: $(READY) ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(READY) ## Measure a build against the import of its libraries, in one run
	@$(BIN)/python benchmarks/build.py
	@$(BIN)/python benchmarks/documents.py
	@$(BIN)/python benchmarks/checks.py

clean: ## Remove the environment and what it generated (not the warehouse in data/)
	@rm -rf .venv dbt/target dbt/logs dbt/models/staging/generated
