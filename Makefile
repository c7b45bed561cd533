PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
DEMO_JSON := $(VENV)/demo.json

.PHONY: help demo test lint clean

help:
	@echo "make demo   lint the example programs in fixtures/demo and have torch confirm what is found"
	@echo "make test   run every test"
	@echo "make lint   ruff and mypy over lstm-lint itself"
	@echo "make clean  remove the environment and the caches"

demo: $(VENV)/.torch
	$(BIN)/lstm-lint check --exit-zero --no-cache fixtures/demo
	@$(BIN)/lstm-lint check --exit-zero --no-cache --output-format json --output-file $(DEMO_JSON) fixtures/demo
	@$(BIN)/python fixtures/verify_demo.py $(DEMO_JSON)

test: $(VENV)/.dev
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

lint: $(VENV)/.dev
	$(BIN)/ruff check lstm_lint tests
	$(BIN)/ruff format --check lstm_lint tests
	$(BIN)/mypy

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .lstm_lint_cache

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.torch: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) --editable '.[torch]'
	@touch $@

$(VENV)/.dev: $(VENV)/.torch pyproject.toml constraints.txt
	$(PIP) --editable '.[torch,dev]'
	@touch $@
