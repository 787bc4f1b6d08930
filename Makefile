# Each target does all of its own set-up and can be repeated; what is there already is not done again.

PYTHON ?= python3
VENV   ?= .venv
# Further words for pip, for example PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu" for a CPU build
# of torch on Linux, where PyPI has the one for CUDA.
PIP_ARGS ?=
# Further words for pytest, for example PYTEST_ARGS="-k canonical -x".
PYTEST_ARGS ?=

SHELL := /bin/sh
.DEFAULT_GOAL := help

BIN   := $(VENV)/bin
# Set-up is done again when the folder was moved or the dependencies changed.
KEY   := $(shell { echo "$(CURDIR)"; cat constraints.txt pyproject.toml; } | cksum | cut -d' ' -f1)
READY := $(VENV)/.ready-$(KEY)
HERE  := $(VENV)/.folder-$(shell echo "$(CURDIR)" | cksum | cut -d' ' -f1)
# The tests share two cores: two workers of one thread each, then alone what loads the real model and times itself.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 POLARS_MAX_THREADS=1
PYTEST := HF_HUB_OFFLINE=1 HF_HUB_DISABLE_TELEMETRY=1 $(BIN)/python -m pytest

# Fetched and converted once, into the user's cache folder (SLUICE_CACHE); afterwards only its hashes are looked at.
define GET_MODEL
import sys
from sluice.cli.progress import Progress
from sluice.core.errors import SluiceError
from sluice.core.paths import default_cache_dir
from sluice.evalsuite.models.store import DEFAULT_MODEL, resolve_model

bar = Progress(sys.stderr, live=sys.stderr.isatty(), silent=False)
try:
    found = resolve_model(DEFAULT_MODEL, default_cache_dir(), bar)
except SluiceError as error:
    sys.exit(f"error: {error}")
finally:
    bar.clear()
endef
export GET_MODEL

.PHONY: help setup model demo test check format acceptance bench clean

help:  ## list these commands
	@echo "make demo         the whole road on sample data with a real model, under 10 minutes"
	@echo "make test         unit and integration tests and a short acceptance run, under 8 minutes on 2 cores"
	@echo "make check        lint, format, types, import contracts (no tests)"
	@echo "make format       let ruff mend what make check finds and can mend"
	@echo "make acceptance   the demo and every long test: the road on real data, a hundred kills (an hour or more)"
	@echo "make bench        the measurements in benchmarks/, side by side"
	@echo "make setup        only the set-up: $(VENV), dependencies of constraints.txt, the default model"
	@echo "make clean        remove caches and build left-overs; $(VENV) and the model stay"

setup: $(READY) model

# The virtual environment belongs to one folder: the scripts in it name that folder.
$(HERE):
	@command -v $(PYTHON) >/dev/null || { \
	  echo "error: there is no '$(PYTHON)'. Fix: install Python 3.11 or newer, or name one: make PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: $$($(PYTHON) --version) is too old, 3.11 or newer is needed. Fix: make PYTHON=python3.12"; exit 2; }
	@if ls $(VENV)/.folder-* >/dev/null 2>&1; then \
	  echo "==> This folder was moved: making $(VENV) anew"; $(PYTHON) -m venv --clear $(VENV); \
	elif ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	  echo "==> Making a virtual environment in $(VENV)"; \
	  $(PYTHON) -m venv $(VENV) || { \
	    echo "error: no virtual environment can be made. Fix: install Python's venv module (Debian: python3-venv)"; exit 2; }; \
	fi
	@touch $@

$(READY): | $(HERE)
	@echo "==> Installing dependencies at the versions of constraints.txt (about 2 GB with torch, once)"
	@if [ "$$(uname -s)" = Linux ] && ! command -v nvidia-smi >/dev/null && ! [ -d $(VENV)/lib/python*/site-packages/torch ]; then \
	  echo "    No NVIDIA GPU is seen here. PyPI's torch for Linux brings CUDA along, some GB more; a CPU build that pip"; \
	  echo "    finds is taken instead: see PIP_ARGS at the top of the Makefile."; \
	fi
	@$(BIN)/python -m pip install --disable-pip-version-check $(PIP_ARGS) -c constraints.txt -e ".[train,hub,labels,semantic,web,dev]"
	@rm -f $(VENV)/.ready-*
	@touch $@

model: $(READY)
	@[ -f $(VENV)/.model ] || echo "==> Fetching the default model (93 MB, once)"
	@$(BIN)/python -c "$$GET_MODEL"
	@touch $(VENV)/.model

demo: setup  ## the whole road on sample data
	@$(BIN)/sluice demo

test: setup  ## all tests but the long ones
	@echo "==> Unit and integration tests, two workers"
	@$(ONE_THREAD) $(PYTEST) -n 2 --dist loadfile -m "not long and not real" --durations=15 $(PYTEST_ARGS)
	@echo "==> Short acceptance run with the real model"
	@$(PYTEST) -m "real and not long" --durations=15 $(PYTEST_ARGS)

check: $(READY)  ## lint, format, types, import contracts
	@echo "==> ruff check"
	@$(BIN)/ruff check --quiet .
	@echo "==> ruff format --check"
	@$(BIN)/ruff format --check --quiet .
	@echo "==> lint-imports"
	@$(BIN)/lint-imports --no-logo
	@echo "==> pyright"
	@$(BIN)/pyright

format: $(READY)  ## mend what can be mended
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

acceptance: setup  ## the demo and every long test
	@$(PYTEST) -m "long or real" --durations=15 -s $(PYTEST_ARGS)

bench: setup  ## the measurements, side by side
	@for file in benchmarks/*.py; do echo "==> $$file"; $(BIN)/python "$$file"; done

clean:  ## remove caches and left-overs
	@rm -rf build dist *.egg-info .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
