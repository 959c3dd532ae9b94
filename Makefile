# Everything has a name here; `make demo` and `make test` install what they need first.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
RUN_DEMO ?= out/demo

.PHONY: demo test check bench docs clean help

help:
	@echo "make demo   a network shrinks, fits a board, becomes C and is proved (about a minute)"
	@echo "make test   the whole test suite"
	@echo "make check  lint, format, types, C format"
	@echo "make bench  figures against the peers, as ratios"
	@echo "make docs   regenerate the tables in docs/"

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[train]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	$(BIN)/python examples/demo/demo.py --out $(RUN_DEMO)

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --dist loadfile tests

check: $(VENV)/.dev
	$(BIN)/ruff check src tests bench examples docs
	$(BIN)/ruff format --check src tests bench examples docs
	$(BIN)/mypy
	find src \( -name '*.c' -o -name '*.h' \) -print | sort | xargs $(BIN)/clang-format --dry-run --Werror

bench: $(VENV)/.dev
	$(BIN)/python bench/mcu/run.py
	$(BIN)/python bench/litert.py
	$(BIN)/python bench/onnx_backend.py
	$(BIN)/python bench/random_graphs.py --count 200
	$(BIN)/python bench/fuzz.py

docs: $(VENV)/.dev
	$(BIN)/python docs/generate.py

clean:
	rm -rf out build dist .pytest_cache .mypy_cache .ruff_cache
