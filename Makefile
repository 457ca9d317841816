# make run    set everything up (once) and open the chat on 127.0.0.1:7860
# make test   set everything up (once) and run all checks
# make bench  measure, side by side, in one run
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.PHONY: run test lint types bench weights test-weights browser storage clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt
# The stamps live in the environment: what removes it removes them, and what was interrupted leaves none.
MADE := $(VENV)/.made
ENGINE := $(VENV)/.engine
READY := $(VENV)/.ready
STORAGE := $(VENV)/storage/.ready

run: $(READY)
	$(BIN)/coreasoner chat --starter

test: lint types test-weights browser storage
	$(BIN)/python -m pytest

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(READY)
	$(BIN)/mypy

bench: test-weights
	$(BIN)/python -m evaluation.bench
	@if [ -n "$${COREASONER_TEST_DATA:-}" ]; then \
	  $(BIN)/python -m evaluation.retrieval --data "$$COREASONER_TEST_DATA"; \
	  $(BIN)/python -m evaluation.knowledge_scale --data "$$COREASONER_TEST_DATA" --share 4; \
	  $(BIN)/coreasoner models pull all-minilm-l6-v2; \
	  $(BIN)/python -m evaluation.alignment --data "$$COREASONER_TEST_DATA" --terms 300; \
	  $(BIN)/python -m evaluation.fusion --data "$$COREASONER_TEST_DATA"; \
	  $(BIN)/python -m evaluation.claims --data "$$COREASONER_TEST_DATA"; \
	  $(BIN)/python -m evaluation.red_flags --data "$$COREASONER_TEST_DATA"; \
	  $(BIN)/python -m evaluation.languages --data "$$COREASONER_TEST_DATA"; \
	else echo "COREASONER_TEST_DATA is not set; retrieval, alignment, fusion, claims and languages are not measured."; fi

test-weights: $(READY)
	$(BIN)/coreasoner models pull test
	$(BIN)/coreasoner models pull starter

# The browser test needs a Chromium; on Debian as root it is installed, elsewhere the test says that it was skipped.
browser:
	@if ! command -v chromium chromium-browser google-chrome >/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing Chromium and fonts"; \
	    apt-get update -qq; \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-core fonts-noto-cjk >/dev/null; \
	  else echo "There is no Chromium here; the browser test will be skipped. On Debian: apt-get install chromium"; fi; fi

# The S3-compatible server of the tests, in an environment of its own: see tests/storage.txt.
storage: $(STORAGE)

$(STORAGE): $(MADE) tests/storage.txt
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --disable-pip-version-check -r tests/storage.txt
	touch $@

$(MADE):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is " + sys.version)'
	$(PYTHON) -m venv --clear $(VENV)
	touch $@

# Built from source for this machine's processor; ninja's step counter is the progress.
$(ENGINE): $(MADE) constraints.txt
	@echo "Building the llama.cpp engine: about 7 minutes on 2 cores, once."
	@$(PIP) -v llama-cpp-python > $(VENV)/engine.log 2>&1 & builder=$$!; \
	trap 'kill $$builder 2>/dev/null' EXIT; \
	while kill -0 $$builder 2>/dev/null; do \
	  step=$$(grep -o '\[[0-9]*/[0-9]*\]' $(VENV)/engine.log 2>/dev/null | tail -n 1 || true); \
	  printf '\r  step %s   ' "$${step:-preparing}"; sleep 2; done; \
	echo; trap - EXIT; \
	wait $$builder || { tail -n 20 $(VENV)/engine.log; echo "The engine could not be built; the whole log is $(VENV)/engine.log."; exit 1; }
	touch $@

$(READY): $(ENGINE) pyproject.toml
	$(PIP) --progress-bar on -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
