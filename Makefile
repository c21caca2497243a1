# Everything a fresh clone needs: `make demo` and `make test` create .venv, install the pinned versions, then run.

.DEFAULT_GOAL := help
.PHONY: help install demo paper network weights test lint docs

RANKS ?= 2
SCALE ?= 1
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
# PYTHON=... chooses another interpreter; it only has to be 3.12 or newer.
PYTHONS := $(or $(PYTHON),python3 python3.12 python3.13 python3.14 /usr/bin/python3)

# One thread a rank: the ranks are the parallelism.
export OMP_NUM_THREADS := 1

help:  ## List what can be made.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(INSTALLED)  ## Create .venv with the pinned versions (about 7 GB, once).

demo: $(INSTALLED)  ## Run the Taylor anvil on 2 ranks; RANKS=8 and ARGS="--velocity 400" change it.
	$(BIN)/mpirun -n $(RANKS) $(BIN)/python demos/taylor_anvil.py $(ARGS)

# One command a figure; FAST=1 is a quick look on coarse meshes.
paper: $(INSTALLED)  ## Regenerate the paper's impact figures and its cost table in results/paper; FAST=1 is small.
	set -e; for part in figure3 figure4 figure5 figure6 profiles beside_taylor table1; do \
	    $(BIN)/python demos/paper/$$part.py $(if $(FAST),--fast,) $(ARGS); done

# Data and networks that are there are kept, so tiny ones have a folder of their own. Data are made on more ranks by
# `mpirun -n 8 python demos/paper/data.py --scale 0.1 --output results/paper/data`, first.
network: SIZE := $(if $(FAST),--fast --output results/paper/fast,--output results/paper)
network: $(INSTALLED)  ## Table SI-2, Figures 1, 2, SI-1: about half a day on a core; SCALE=0.1 two hours, FAST=1 minutes.
	$(BIN)/python demos/paper/table_si2.py $(SIZE) --scale $(SCALE)
	$(BIN)/python demos/paper/figure1.py $(SIZE) --scale $(SCALE)
	$(BIN)/python demos/paper/figure2.py $(SIZE)
	$(BIN)/python demos/paper/figure_si1.py $(SIZE)

weights: $(INSTALLED)  ## Regenerate data and weights of the shipped surrogate in results/weights: hours; SCALE=0.01 minutes.
	unset OMP_NUM_THREADS; $(BIN)/python demos/studies/shipped_weights.py --scale $(SCALE)

# Rank 0 reports; the other ranks report their failures only. A test marked for more ranks than are run here would
# never run: that is an error.
test: export PYTEST_MPI_MAX_NPROCS := 3
PYTEST := $(BIN)/python -m pytest
QUIET := -qq --no-header --disable-warnings
test: $(INSTALLED)  ## Run all tests: serial, then the parallel ones on 2 and on 3 ranks.
	$(PYTEST) -m 'parallel[match]'
	$(BIN)/mpirun -n 1 $(PYTEST) -m 'parallel[match]' : -n 1 $(PYTEST) $(QUIET) -m 'parallel[match]'
	$(BIN)/mpirun -n 1 $(PYTEST) -m 'parallel[match]' : -n 2 $(PYTEST) $(QUIET) -m 'parallel[match]'

lint: $(INSTALLED)  ## Check style, formatting, types and the direction of imports.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

docs: $(INSTALLED)  ## Build the documentation site in build/docs; a warning is an error.
	$(BIN)/sphinx-build -W --keep-going --quiet --builder html docs build/docs
	@echo open build/docs/index.html

# The file is the proof that the installation was completed with these versions.
$(INSTALLED): pyproject.toml constraints.txt
	@python=$$(for python in $(PYTHONS); do \
	    $$python -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null && echo $$python && break; done); \
	if test -z "$$python"; then \
	    echo 'No Python 3.12 or newer among: $(PYTHONS). Install one, or name it: make PYTHON=/path/to/python3.12' >&2; \
	    exit 1; \
	fi; \
	$$python .ci/preflight.py || exit 1; \
	test -x $(BIN)/pip || $$python -m venv $(VENV)
	$(BIN)/python -m pip install --constraint constraints.txt setuptools
# A plain path: by setuptools' own finder a folder beside a script that is called multiscale, as the clone is, comes first.
	$(BIN)/python -m pip install --constraint constraints.txt --no-build-isolation \
	    --config-settings editable_mode=compat --editable '.[fenics,ebsd,test,lint,docs]'
	@touch $@
