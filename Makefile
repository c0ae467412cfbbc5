# Two commands from nothing: `make demo` runs the main job, `make test` passes every test.
# Both build a virtual environment in .venv first and are safe to run twice.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Small networks train fastest on one thread each; several threads would fight for two cores.
export OMP_NUM_THREADS ?= 1

.PHONY: demo test docs web check clean help

help:           ## Say what can be made.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/'

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@

demo: $(VENV)/.installed   ## Run the main job on real data and write runs/demo/report.html.
	$(BIN)/deepcity demo

test: $(VENV)/.installed   ## Lint, types, import rules and all tests.
	scripts/install-strangers || echo "Others' NGSI-LD libraries could not be installed; their tests will be skipped." >&2
	scripts/check

docs: $(VENV)/.installed   ## Build the documentation into site/, in English and Korean.
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

web:            ## Build the control room and the reports' live parts from frontend/ into src/deepcity/web/ (needs npm).
	cd frontend && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build

check: test

clean:          ## Remove the virtual environment; runs stay.
	rm -rf $(VENV)
