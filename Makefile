# `make book` and `make test` are all the set-up there is. CI runs these same targets, nothing else.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN    := .venv/bin
NPROC  ?= 2
PAGE   := _build/html/index.html

# While building and testing, the kernels are those of .venv, simulated scenes are kept in _build, bars are off.
export PATH := $(CURDIR)/$(BIN):$(PATH)
book site test unit simulated notebooks references learner canary: export COURSE_CACHE ?= $(CURDIR)/_build/cache
book site test unit simulated notebooks references learner bench canary: export TQDM_DISABLE ?= 1

.PHONY: help setup book test lint unit simulated notebooks site learner lab hub-setup hub hub-check hub-test references bench constraints canary clean

help:           ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.ready   ## the environment in .venv (the other targets call it)

.venv/.ready: requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"found Python {v.major}.{v.minor}, the course needs 3.11 or newer: set PYTHON=python3.11 (or newer)")'
	@echo "Setting up .venv, once: pip installs about 2.2 GB and is silent for some minutes"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -r requirements.txt -c constraints.txt
	$(BIN)/python -m pip install --quiet --no-deps -e .
	$(BIN)/python -m course_utils doctor
	@touch $@

# Executed notebooks are cached by their own code. What else their output depends on, the package and the quizzes, is
# summed here; when it changes, the cache is emptied, and so is Sphinx's memory of the pages.
_build/.cache-valid: FORCE
	@mkdir -p _build; \
	sum=$$({ find course_utils hpc -type f ! -name '*.pyc'; find book -name '*.quiz.json' -o -path '*/records/*.json'; ls requirements.txt; } \
		| LC_ALL=C sort | xargs cksum | cksum); \
	if [ "$$sum" != "$$(cat $@ 2>/dev/null)" ]; then rm -rf _build/.jupyter_cache _build/.doctrees; echo "$$sum" > $@; fi

FORCE:

BUILD := $(BIN)/jupyter-book build . --path-output . -W --keep-going -n

book: setup _build/.cache-valid   ## build the site, say where it is
	@start=$$SECONDS; \
	$(BUILD) && \
	echo "The book is at file://$(CURDIR)/$(PAGE)  (built in $$((SECONDS - start)) s)"

site: setup _build/.cache-valid   ## build the site from nothing but the execution cache, and test every page
	@rm -rf _build/html _build/.doctrees
	@$(BUILD) --quiet
	@$(BIN)/pytest tests/book -n $(NPROC) --dist loadscope

# The hub is tested where there are Linux and npm; in CI they must be there.
HUB := $(if $(CI)$(shell [ "$$(uname)" = Linux ] && command -v npm),hub-check)

test:             ## everything that CI checks
	@start=$$SECONDS; \
	$(MAKE) --no-print-directory -j2 setup $(HUB:check=setup) && \
	$(MAKE) --no-print-directory lint unit notebooks site learner $(HUB) SAME_AS=_build/ran.json && \
	$(if $(HUB),,echo "The hub was not tested: that needs Linux and npm" &&) \
	echo "All checks passed in $$((SECONDS - start)) s. The book is at file://$(CURDIR)/$(PAGE)"

lint: setup       ## code style and docstring rules
	$(BIN)/ruff check .

unit: setup       ## the package, the exercise checks, the tools
	$(BIN)/pytest tests -n $(NPROC) --dist worksteal --ignore=tests/book --ignore=tests/notebooks --ignore=tests/hub

# nbval runs every cell of the chapters, tests/notebooks/plugin.py judges what they printed. One thread a notebook, since
# they run side by side; what asks for the network is refused. The plugin puts the slowest first, and workers keep to
# that order. In `make test` a learner's notebook must print what the book's printed on this machine, to the last digit.
NBVAL := OMP_NUM_THREADS=1 HTTP_PROXY=http://127.0.0.1:9 HTTPS_PROXY=http://127.0.0.1:9 \
	$(BIN)/python -m pytest -p tests.notebooks.plugin --nbval-lax --nbval-current-env --nbval-cell-timeout 300
SPREAD := --dist loadscope --no-loadscope-reorder

# What chapters simulate when it is first asked for is made beforehand: it belongs to no notebook's time and memory.
simulated: setup
	@$(BIN)/python -m course_utils simulate --all

notebooks: simulated  ## run every chapter, compare its numbers with the stored references
	@$(BIN)/python -m tools.notebooks
	$(NBVAL) -n $(NPROC) $(SPREAD) --ran _build/ran.json tests/notebooks _build/notebooks

references: simulated  ## run every chapter, store its numbers, show what changed
	@$(BIN)/python -m tools.notebooks
	$(NBVAL) --write-references _build/notebooks
	@$(BIN)/python tools/scoreboard.py

learner: simulated  ## make the learner notebooks in _build/learner, run a copy of each on its untouched stubs
	@$(BIN)/python -m tools.make_learner_notebooks
	@rm -rf _build/learner-run && cp -r _build/learner _build/learner-run
	$(NBVAL) -n $(NPROC) $(SPREAD) --edition learner $(addprefix --same-as ,$(SAME_AS)) _build/learner-run

# The settings in tools/lab keep JupyterLab from asking for the network: no news, no updates.
lab: setup        ## work through the chapters in JupyterLab; what you write in my_notebooks is never overwritten
	@$(BIN)/python -m tools.make_learner_notebooks --keep my_notebooks
	$(BIN)/jupyter lab --LabApp.app_settings_dir="$(CURDIR)/tools/lab" my_notebooks $(OPTIONS)

# The hub and its users' JupyterLab servers have an environment of their own; kernels are those of .venv.
hub-setup: .venv-hub/.ready   ## the hub's environment in .venv-hub (the next three call it)

.venv-hub/.ready: hub/requirements.txt hub/package-lock.json constraints.txt
	@command -v npm >/dev/null || { echo "found no npm, expected Node.js 20 or newer with npm for the hub's proxy; on Debian: apt-get install npm"; exit 1; }
	@node -e 'if (parseInt(process.versions.node) < 20) { console.log("found Node.js " + process.versions.node + ", expected 20 or newer for the hub'"'"'s proxy: nodejs.org"); process.exit(1) }'
	@echo "Setting up .venv-hub, once: 0.4 GB"
	@$(PYTHON) -m venv .venv-hub
	.venv-hub/bin/python -m pip install --quiet -r hub/requirements.txt -c constraints.txt
	@cp hub/package.json hub/package-lock.json .venv-hub
	npm ci --prefix .venv-hub --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

hub: setup hub-setup          ## a JupyterHub on this machine alone, for trying out
	@$(BIN)/python -m hub.start $(OPTIONS)

hub-check: setup hub-setup    ## test a running hub, with two users who run a chapter
	$(BIN)/pytest tests/hub

N       ?= 8
CHAPTER ?= 02
hub-test: hub-check           ## the same, then let N users run a whole CHAPTER, and measure
	$(BIN)/python -m hub.load --users $(N) --chapter $(CHAPTER)

bench: setup      ## measure every claim about speed, and every chapter (ten minutes), write _build/bench.json
	$(BIN)/python -m benchmarks

constraints: setup ## write down every version that is installed, for the next set-up
	@$(BIN)/pip freeze --exclude-editable | sed -E 's/\+cpu//; /^course-utils|^pip==|^setuptools==/d' > constraints.txt
	@git diff --stat constraints.txt

# The pins stay as they are. OPTIONS="--tests tests/test_train.py --chapters 06" tries a sample.
canary: simulated  ## try the newest versions in an environment of their own, say what breaks
	@$(BIN)/python -m tools.canary --processes $(NPROC) $(OPTIONS)

clean:            ## remove everything that was made, the environment too
	rm -rf _build .venv .venv-hub .venv-canary *.egg-info .pytest_cache .ruff_cache .hypothesis
