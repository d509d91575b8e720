# Two commands: `make demo` serves the sample shop, `make test` checks everything. The rest is for working on it.
VENV := .venv
BIN := $(VENV)/bin
PYTHON := $(shell command -v python3.11 || command -v python3)
# Only files whose SHA-256 stands in locks/ are installed; mapsi itself is then put beside them.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile
# On all cores, where pip takes one; and src too, which pip would leave: a fifth of a second of each command, where nothing
# keeps it. Some packages bring files for other versions of Python, which nothing imports.
COMPILED := $(BIN)/python -m compileall -q src && { $(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true; }
LOCK := $(BIN)/uv pip compile pyproject.toml - --universal --generate-hashes -c constraints.txt --quiet --no-annotate --no-header
BUILD_NEEDS := 'setuptools>=77,<82'

# A third of the time of tests is waiting (for servers, browsers and clocks): a worker more than two cores fills it.
WORKERS ?= 3

.PHONY: demo test tests check format bench attack fuzz lock audit sbom clean

demo: $(VENV)/serve.stamp
	$(BIN)/mapsi demo $(ARGS)

# Types are checked beside the tests: alone they keep one core busy for half a minute, and the other idle.
test: $(VENV)/dev.stamp
	$(MAKE) --no-print-directory -j 2 check tests

tests: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(VENV)/dev.stamp
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy

# Everything side by side, written to docs/performance.md; needs wrk and MariaDB (Debian packages wrk and mariadb-server).
bench: $(VENV)/dev.stamp
	$(BIN)/python benchmarks/bench_serving.py --write $(ARGS)

# A server of its own on loopback, attacked for some minutes; ARGS=--keep writes the table to docs/reliability.md.
attack: $(VENV)/dev.stamp
	$(BIN)/python benchmarks/attack.py $(ARGS)

# What reads strangers' photos and feeds, fed with mutated bytes for ten minutes each; findings end it.
fuzz: $(VENV)/dev.stamp
	$(PIP) --target build/atheris atheris==3.0.0
	PYTHONPATH=build/atheris $(BIN)/python benchmarks/fuzz.py photos $(ARGS)
	PYTHONPATH=build/atheris $(BIN)/python benchmarks/fuzz.py feeds $(ARGS)

format: $(VENV)/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/serve.stamp: $(VENV)/bin/python pyproject.toml locks/serve.txt
	$(PIP) --require-hashes -r locks/serve.txt
	$(PIP) --no-build-isolation -e .
	$(COMPILED)
	touch $@

# The training libraries are about 5.5 GB and take about two minutes.
$(VENV)/dev.stamp: $(VENV)/bin/python pyproject.toml locks/dev.txt
	$(PIP) --require-hashes -r locks/dev.txt
	$(PIP) --no-build-isolation -e .
	$(COMPILED)
	touch $@ $(VENV)/serve.stamp

# locks/ anew, out of pyproject.toml and the versions in constraints.txt: for every platform, with the hashes of all files.
lock:
	echo $(BUILD_NEEDS) | $(LOCK) -o locks/serve.txt
	echo $(BUILD_NEEDS) | $(LOCK) --extra mysql --extra workers --extra milvus -o locks/image.txt
	echo $(BUILD_NEEDS) | $(LOCK) --all-extras -o locks/dev.txt

# Known faults of what serving installs, and a list of it (CycloneDX); both need a connection. A package that the
# database was not asked about is an error (--strict): some mirrors of the registry answer for it and know nothing.
audit:
	@told=$$($(BIN)/uvx pip-audit --strict --require-hashes --disable-pip -r locks/image.txt 2>&1); code=$$?; echo "$$told"; \
	case "$$told" in *"could not be audited"*|*ConnectionError*|*"Max retries"*) \
		echo "Nothing was audited: the public database of known faults (pypi.org) cannot be reached from here, or a mirror that lacks it answers.";; \
	esac; exit $$code

sbom:
	mkdir -p dist
	$(BIN)/uvx --from cyclonedx-bom cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible -o dist/mapsi.cdx.json locks/image.txt

clean:
	rm -rf $(VENV) build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache
