# `make` or `make help` lists everything.  Each command sets up by itself what it needs.

BIN := .venv/bin
PERFWRIGHT := $(BIN)/perfwright
# What pytest runs: make test TESTS=tests/unit/pipeline
TESTS ?= tests
# INSTALL=no: print what is missing on the system, install nothing
INSTALL ?= yes

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format data bench-quick bench aa study tokens lock clean

# Style, types and layers; whatever can be said without running the code.
define GATES
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --explicit-package-bases src tests
	$(BIN)/lint-imports --no-logo
endef

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what is missing: LLVM, valgrind, bubblewrap, .venv with the pinned packages
	@scripts/setup $(if $(filter no,$(INSTALL)),--no-install)

demo: data ## see it work: tune a bundled program without a language model (minutes)
	$(PERFWRIGHT) tune suites/core/adpcm --rounds 3 --time 160s

test: data ## everything that must pass: the gates of lint, then all tests
	$(GATES)
	$(BIN)/pytest $(TESTS)

lint: setup ## style, types, import layers and the rules of this repository; no other tests
	$(GATES)
	$(BIN)/pytest --quiet tests/unit/test_repository.py

format: setup ## rewrite sources in the house style, and mend what can be mended without thought
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

data: setup ## write the input files of the bundled programs
	@$(BIN)/python suites/generate.py >/dev/null

bench-quick: data ## methods against methods on the smoke suite (minutes)
	$(PERFWRIGHT) bench suites/smoke

bench: data ## methods against methods on the core suite (hours)
	$(PERFWRIGHT) bench suites/core

aa: data ## 100 real A/A campaigns: how many claim a gain (half an hour)
	$(BIN)/python benchmarks/aa.py

study: setup ## the simulation study of the statistics: error rates, power, pairs (minutes)
	$(BIN)/python benchmarks/study_statistics.py

tokens: data ## what models are sent in three rounds of every bundled program (half an hour)
	$(BIN)/python benchmarks/model_tokens.py --out docs/figures/model-tokens.json

lock: ## pin the packages of pyproject.toml in requirements/ (UPGRADE=1: to the newest versions)
	scripts/lock $(if $(UPGRADE),--upgrade)

clean: ## remove .venv, caches and whatever else is made from the sources
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf .coverage htmlcov build dist out
	git clean -fdqX src tests suites
