# What a developer runs. `make check` is quick; `make test` installs what the tests need and runs everything.
PYTHON ?= python3
BIN    := .venv/bin
STAMP  := .venv/.gatepost-dev-installed

export PYTHONPATH := $(CURDIR)/src

.PHONY: help check test live bench native lab lab-down lab-realm lab-realm-down fix docs lock clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(STAMP): requirements-dev.lock
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@cp requirements-dev.lock $@
	@cp requirements.lock .venv/.gatepost-installed

check: $(STAMP)  ## format, lint, types, import contracts, docs in step
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/lint-imports --no-logo > .venv/lint-imports.log || (cat .venv/lint-imports.log; exit 1)
	$(BIN)/mypy
	$(BIN)/python docs/generate.py --check

native:  ## the compiled log scanner, where rustc is; without it logs are read more slowly
	@sh native/build.sh

test: $(STAMP)  ## install what the tests need (as root also the servers) and run everything
	@sh lab/packages.sh
	@sh native/build.sh
	$(BIN)/pytest -n auto --dist loadfile

live: $(STAMP)  ## only the tests against real daemons and packets
	@sh lab/packages.sh
	@sh native/build.sh
	$(BIN)/pytest -m live

bench: $(STAMP)  ## cost per endpoint, as ratios against the peers that are installed
	@sh lab/packages.sh
	@sh native/build.sh
	$(BIN)/python -m lab bench

lab: $(STAMP)  ## real Postfix and Dovecot on loopback
	@sh lab/packages.sh
	$(BIN)/python -m lab up

lab-down: $(STAMP)  ## stop them
	$(BIN)/python -m lab down

lab-realm: $(STAMP)  ## an unfit mail host in a namespace, with zones around it (STATE=sound: a fit one)
	@sh lab/packages.sh
	$(BIN)/python -m lab realm up --state $(or $(STATE),unfit)

lab-realm-down: $(STAMP)  ## stop it
	$(BIN)/python -m lab realm down

fix: $(STAMP)  ## what a machine can mend
	$(BIN)/ruff format --quiet .
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/python docs/generate.py

docs: $(STAMP)  ## regenerate the reference pages
	$(BIN)/python docs/generate.py

lock:  ## renew both lock files (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url pyproject.toml -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --group dev pyproject.toml -o requirements-dev.lock

clean:
	rm -rf .venv .lab .mypy_cache .ruff_cache .pytest_cache .hypothesis
