# make run and make test work on a fresh machine that has Python 3.11 or 3.12 and make.
RECIPE ?= $(shell sed -n 's/^recipe: *//p' params.yaml)
MIRROR ?=
# The first Python that works and is of a version that cxrpipe is tested with.
SUITABLE := import sys; (3, 11) <= sys.version_info < (3, 13) and print(sys.executable)
PYTHON ?= $(firstword $(foreach name,python3.12 python3.11 python3,$(shell $(name) -c '$(SUITABLE)' 2>/dev/null)))
CONFIG := recipe=$(RECIPE) $(if $(MIRROR),mirror=$(MIRROR))

export PATH := $(CURDIR)/.venv/bin:$(PATH)
.PHONY: run test lint record verify requirements clean

run: .venv/installed ## run a recipe and print its results table
	snakemake --cores all --resources gpu=1 --config $(CONFIG)
	@echo; cat results/$(RECIPE)/table.md; echo; echo "Report: results/$(RECIPE)/report.html"

test: .venv/installed lint ## lint, types and tests
	pytest

lint: .venv/installed
	ruff check
	ruff format --check
	mypy
	snakefmt --check Snakefile workflow
	snakemake --lint

record: .venv/installed ## tell DVC what is in data/ and results/, also what Snakemake made alone
	snakemake --cores all --resources gpu=1 # so that what is recorded is what params.yaml says
	dvc add --quiet data
	dvc commit --quiet --force
	dvc status

verify: .venv/installed ## make the run in two clean folders, and list the files that differ
	python workflow/verify.py --config $(CONFIG)

requirements: .venv/installed ## pin anew what pyproject.toml allows
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
	    --no-emit-index-url --no-annotate --no-header --quiet --output-file requirements.txt

.venv/installed: requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or 3.12 here; install one, or give PYTHON=path"; exit 2; }
	@echo "Installing into .venv: some minutes, 6 GB"
	$(PYTHON) -m venv .venv
	pip install --quiet --no-deps --requirement requirements.txt # the lock is whole
	pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

clean: ## remove everything that a run made
	rm -rf results logs .snakemake
