# `make` or `make help` lists what there is to do.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
# The build of torch: this is the CPU one. For a GPU: make install TORCH="torch==2.13.0 --index-url <the index of your CUDA version>"
TORCH ?= torch==2.13.0
EXTRAS := train,qlora,serve,monitor,newspaper,onnx,openvino,weaviate,offline,dev
# Test processes side by side; a file's tests stay in one of them, so that they share its fixtures. In our order,
# the slowest first, which xdist would put last. One process more than there are processors, since the slowest wait for
# servers; eight at most, since each takes a gigabyte or two.
WORKERS ?= $(shell $(PYTHON) -c "import os; print(min(8, 1 + (os.cpu_count() or 1)))")
# Tiny models are slower on several threads than on one.
export OMP_NUM_THREADS ?= 1

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.PHONY: install
install: $(VENV)/.installed ## Create .venv and install everything from constraints.txt (some minutes, 4 GB)

$(VENV)/.installed: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV): some minutes the first time"
	@# Python 3.11.7 comes with pip 23.2.1, which crashes on lxml[html-clean] asked for twice.
	@$(BIN)/pip install --quiet --quiet --upgrade pip==26.3
	@# torch first and by name: a range would draw in gigabytes of CUDA packages.
	@$(BIN)/pip install --quiet --quiet $(TORCH)
	@$(BIN)/pip install --quiet --quiet --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $@

.PHONY: demo
demo: install ## From a sample author's exports to a released twin that answers (some 4 minutes; then seconds)
	@$(BIN)/twin demo

.PHONY: up
up: install ## Start Dagster :3000, service :8000, Phoenix :6006, MLflow :5000, metrics :9464 (Ctrl-C stops all)
	@$(BIN)/twin up

.PHONY: test
test: install ## Run all tests
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: test-fast
test-fast: install ## Run the tests that take seconds
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not slow"

.PHONY: lint
lint: install ## Style, types, and the one-way rule of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

.PHONY: bench
bench: install ## Measure what the README and the notes give figures for
	@$(BIN)/python -m llm_twin_assets_tests.benchmarks

.PHONY: format
format: install ## Let ruff mend what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: clean
clean: ## Remove the virtual environment and all data of this checkout (.twin)
	rm -rf $(VENV) .twin
