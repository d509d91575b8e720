# Two commands: `make demo` serves the sample shop, `make test` checks everything. The rest is for working on it.
VENV := .venv
BIN := $(VENV)/bin
PYTHON := $(shell command -v python3.11 || command -v python3)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test check format bench clean

demo: $(VENV)/serve.stamp
	$(BIN)/mapsi demo $(ARGS)

test: $(VENV)/dev.stamp check
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

check: $(VENV)/dev.stamp
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy

# Everything side by side, written to docs/performance.md; needs wrk and MariaDB (Debian packages wrk and mariadb-server).
bench: $(VENV)/dev.stamp
	$(BIN)/python benchmarks/bench_serving.py --keep $(ARGS)

format: $(VENV)/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/serve.stamp: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) -e .
	touch $@

# The training libraries are about 5.5 GB and take about two minutes.
$(VENV)/dev.stamp: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) -e '.[train,collect,mysql,workers,draw,dev]'
	touch $@ $(VENV)/serve.stamp

clean:
	rm -rf $(VENV) build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache
