# The one door. `make help` lists what can be asked.

PYTHON ?= python3
CORES ?=
CAMPAIGN ?= build/campaign
SAMPLE_WORK ?= /opt/broadstreet
export CORES

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: run test install lint bench accuracy sample pictures corpus clean help

run: $(VENV)/run.stamp  ## read the sample population, or your own core dumps: make run CORES=DIR
	@if [ -n "$$CORES" ]; then $(BIN)/broadstreet scan "$$CORES" --casebook casebook -o ndjson >/dev/null && \
	    $(BIN)/broadstreet investigate --casebook casebook; \
	else $(BIN)/broadstreet scan sample/cores --binaries sample/binaries --casebook .sample/casebook -o ndjson >/dev/null; \
	  [ -d .sample/casebook/hosts ] || $(BIN)/broadstreet fleet add sample/fleet --casebook .sample/casebook; \
	  $(BIN)/broadstreet investigate --casebook .sample/casebook; fi
	@[ -n "$$CORES" ] && book=casebook || book=.sample/casebook; \
	  echo; echo "  In a browser: $(BIN)/broadstreet serve --casebook $$book, then http://localhost:1854"

test: lint  ## lint, types and tests
	$(BIN)/python -m pytest -n 2

install: $(VENV)/test.stamp  ## build .venv with all that the tests need

lint: $(VENV)/test.stamp  ## ruff, import contracts, types
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python -m mypy

bench: $(VENV)/bench.stamp  ## every figure of docs/benchmarks.md, against gdb, eu-stack and drgn
	$(BIN)/python -m bench

accuracy: $(VENV)/test.stamp  ## make 4,000 crashes with known causes, fit the weights; simulate fleets, kill scans (hours)
	$(BIN)/broadstreet lab campaign --output $(CAMPAIGN) --document docs/accuracy.md --matrix docs/confusion.csv \
	  --reasons docs/confusions.toml --weights broadstreet/verdict/weights.json
	$(BIN)/python -m tests.accuracy.grouping $(addprefix $(CAMPAIGN)/,bugs bugs-held-out imitators race)
	$(BIN)/python -m tests.accuracy.items --output broadstreet/verdict/items.json
	$(BIN)/python -m tests.store.chaos.campaign --document docs/chaos.md
	$(BIN)/python -m tests.accuracy.population --document docs/accuracy-population.md

# Core dumps hold the path of the program: so it is made under one that says nothing of this machine.
sample: $(VENV)/test.stamp  ## make the sample population again: real crashes, a simulated fleet (needs a compiler)
	rm -rf $(SAMPLE_WORK)
	$(BIN)/broadstreet lab make ten_thousand --output $(SAMPLE_WORK) --seed 1854 --slim --tables parquet
	rm -rf sample/cores sample/fleet sample/truth sample/binaries
	cp -r $(SAMPLE_WORK)/cores $(SAMPLE_WORK)/fleet $(SAMPLE_WORK)/truth $(SAMPLE_WORK)/binaries sample/

pictures: $(VENV)/test.stamp  ## take the pictures of the README again (needs chromium)
	PICTURES=1 $(BIN)/python -m pytest -q tests/surfaces/web/test_pictures.py -k there

corpus: $(VENV)/test.stamp  ## make the corpus again (needs a compiler)
	$(BIN)/python -m tests.corpus.make

clean:  ## remove .venv, caches and what was built
	rm -rf $(VENV) .sample build dist *.egg-info .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

$(VENV)/made.stamp:
	@command -v "$(PYTHON)" >/dev/null || { \
	  echo "No $(PYTHON) here. Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$$("$(PYTHON)" --version) is too old: Python 3.11 or newer is needed. Name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Making $(VENV)"
	@"$(PYTHON)" -m venv $(VENV)
	@touch $@

$(VENV)/run.stamp: pyproject.toml $(VENV)/made.stamp
	@echo "Installing what a run needs into $(VENV)"
	@$(PIP) install -e .
	@touch $@

$(VENV)/test.stamp: pyproject.toml $(VENV)/made.stamp
	@echo "Installing what the tests need into $(VENV)"
	@$(PIP) install -e '.[test,symbols]'
	@touch $(VENV)/run.stamp $@

$(VENV)/bench.stamp: pyproject.toml $(VENV)/made.stamp
	@echo "Installing what the bench needs into $(VENV)"
	@$(PIP) install -e '.[test,symbols,bench]'
	@touch $(VENV)/run.stamp $(VENV)/test.stamp $@
