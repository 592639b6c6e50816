# Everything starts from a plain clone: the targets make their own virtual environment.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev
ROOT := $(if $(filter 0,$(shell id -u)),,sudo)

.DEFAULT_GOAL := help
.PHONY: help demo test check tests browser bench bench-board leaderboard reproduce figures clean

help:  ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[video]'
	@touch $@

$(INSTALLED_DEV): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ $(INSTALLED)

demo: $(INSTALLED)  ## Install, then score the embedded demo benchmark
	$(BIN)/gytbench demo

test: check tests  ## Everything that CI runs

check: $(INSTALLED_DEV)  ## Format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

tests: $(INSTALLED_DEV) browser  ## All tests, with the coverage of the metrics and what feeds them
	GYTBENCH_SCREENSHOTS=$(CURDIR)/.build/screenshots OMP_NUM_THREADS=1 \
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile --cov --cov-report=term

browser:  ## Install Chromium with its driver (Debian, Ubuntu) where they are missing
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null || \
	{ $(ROOT) apt-get update -qq && $(ROOT) apt-get install -y -qq chromium chromium-driver; }

bench: $(INSTALLED_DEV)  ## Speed and memory side by side, on the released files
	$(BIN)/python -m benchmarks

bench-board: $(INSTALLED_DEV)  ## Time and memory of a leaderboard of full-size entries
	$(BIN)/python -m benchmarks.leaderboard

leaderboard: $(INSTALLED_DEV)  ## Check all entries, score what changed, write leaderboard/site
	$(BIN)/gytbench leaderboard check
	$(BIN)/gytbench leaderboard build --jobs 2

reproduce: $(INSTALLED_DEV)  ## The findings of Tables 5 and 6 in a rendered world (half an hour)
	$(BIN)/gytbench ablate narrated-world -o .build/narrated-world --jobs 2

figures: $(INSTALLED_DEV)  ## Draw the figures of docs/metrics.md and fill in its tables
	$(BIN)/python -m docs.figures

clean:  ## Remove what the targets made
	rm -rf $(VENV) .build gytbench-demo leaderboard/site leaderboard/.cache .coverage .hypothesis .mypy_cache .ruff_cache .pytest_cache
