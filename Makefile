# The doors for people.  Everything they need is installed into .venv on the way.
PYTHON ?= python3
SCALE ?= laptop
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint requirements.lock
# What is installed stands under the content of the two files that say it: a clone or a checkout, which makes
# every file new, keeps an environment that is right, and one of another lock is brought up to date.  So is that
# of a folder that was moved or copied, whose scripts and link to src/ name the old place.
CONTENT := $(firstword $(shell (pwd; cat requirements.lock pyproject.toml) | cksum))
INSTALLED := .venv/installed-$(CONTENT)
INSTALLED_DEV := .venv/installed-dev-$(CONTENT)
# One thread each: the processes share the cores.  One takes the tests of a file, which share what has run.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses logical --dist loadfile --no-loadscope-reorder

.PHONY: figures install verify test nightly cluster lint bench report site crosscheck wheel clean help

figures: $(INSTALLED)  ## every study: data, models, analyses, figures, scorecards
	$(BIN)/snakemake --cores all --config scale=$(SCALE)

install: $(INSTALLED)  ## interpflow and what it needs, into .venv

report: figures  ## one page per scale with figures, scorecards and where they come from
	$(BIN)/interpflow report --scale $(SCALE)
	$(BIN)/snakemake --cores all --config scale=$(SCALE) --report results/$(SCALE)/snakemake.html

site: $(INSTALLED_DEV)  ## site/index.html: documents, gallery and studies, of the figures that are there
	$(BIN)/python -m website --scale $(SCALE)

verify: figures  ## is it what we had? identical, equal within tolerance, or different
	$(BIN)/interpflow verify
	$(BIN)/interpflow verify --reference

test: $(INSTALLED_DEV)  ## all tests of a change, workflow tests included
	$(PYTEST)

nightly: $(INSTALLED_DEV)  ## the tests that take long: many kills, whole studies under Snakemake
	$(PYTEST) -m nightly

cluster: $(INSTALLED_DEV)  ## the same studies on a throw-away SLURM: apt-get install slurm-wlm munge slurmdbd mariadb-server
	$(PIP) --editable ".[slurm]"
	$(BIN)/python -m pytest tests/cluster -m cluster

lint: $(INSTALLED_DEV)  ## style, types, workflow
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint
	$(BIN)/python tests/lint_scripts.py

crosscheck: .venv-crosscheck/installed .venv-crosscheck-4/installed  ## tests against TransformerLens, scikit-learn, concept-erasure, devinterp
	.venv-crosscheck/bin/python -m pytest tests/extra
	.venv-crosscheck-4/bin/python -m pytest tests/extra/test_transformer_lens_4.py

# What was built before would be packed again.
wheel: $(INSTALLED_DEV)  ## dist/interpflow-….whl, which needs no clone
	rm -rf build
	$(BIN)/python -m pip --disable-pip-version-check wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	rm -rf build

bench: $(INSTALLED)  ## speed, as ratios
	$(BIN)/python -m benchmarks

clean:  ## remove what was generated, keep the environment
	rm -rf .snakemake logs cache results/[!R]* results/.[!.]* figures/[!R]* site

help:  ## this list
	@awk -F ':.*##' '/^[a-z]+:.*##/ {printf "  make %-11s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(INSTALLED):
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit(f"interpflow needs Python 3.11 or later; {sys.executable} is {sys.version.split()[0]}. Try: make PYTHON=python3.12")'
	@grep -qs "^#!$(CURDIR)/" .venv/bin/pip || rm -rf .venv
	$(PYTHON) -m venv .venv
	rm -f .venv/installed*
	$(PIP) --editable .
	touch $@

$(INSTALLED_DEV): $(INSTALLED)
	$(PIP) --editable ".[dev,site]"
	touch $@

.venv-crosscheck/installed: pyproject.toml
	$(PYTHON) -m venv .venv-crosscheck
	.venv-crosscheck/bin/python -m pip --disable-pip-version-check install --quiet --editable ".[crosscheck]" pytest
	touch $@

# TransformerLens 4 has no HookedTransformer, and 3 no bridge that opens an export.
.venv-crosscheck-4/installed: pyproject.toml
	$(PYTHON) -m venv .venv-crosscheck-4
	.venv-crosscheck-4/bin/python -m pip --disable-pip-version-check install --quiet --editable ".[crosscheck4]" pytest
	touch $@
