# Coax. `make demo` and `make test` are all that a fresh machine needs: both install what they use.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
PY := $(VENV)/bin/python
COAX := $(VENV)/bin/coax
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
APT := $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get -qq -y
WORKERS ?= 2

.PHONY: help demo test test-server lint fmt bench golden docs serve install install-dev system clean

help: ## show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: install ## set up, bill two operators on the embedded database, write three PDFs
	$(COAX) demo

test: install-dev system ## set up, then lint-free proof: the whole suite
	$(PY) -m pytest -n $(WORKERS) --dist loadgroup

test-server: install-dev ## the database tests on a PostgreSQL server from Debian's packages
	PATH="$$PATH:/usr/sbin" command -v pg_ctlcluster >/dev/null || { $(APT) update && $(APT) install postgresql; }
	$(PY) tests/server/with_server.py $(PY) -m pytest -n $(WORKERS) --dist loadgroup tests/shell tests/scenario tests/house -m "not browser"

lint: install-dev ## style, types, import contracts
	$(VENV)/bin/ruff check src tests bench
	$(VENV)/bin/ruff format --check src tests bench
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache

fmt: install-dev ## format the code
	$(VENV)/bin/ruff format src tests bench
	$(VENV)/bin/ruff check --fix src tests bench

bench: install-dev ## a million accounts against the floor of writing the same rows
	$(PY) -m bench.run

golden: install-dev ## refresh the golden files; read the diff before committing
	COAX_UPDATE_GOLDEN=1 $(PY) -m pytest -q tests/golden

docs: install-dev ## regenerate the generated parts of docs/
	$(PY) -m docs.generate

serve: install ## the console on http://127.0.0.1:8000
	$(COAX) serve

install: $(VENV)/installed ## what the product needs

install-dev: $(VENV)/installed-dev ## what the tests need too

$(VENV)/bin/pip:
	python3 -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV); $(APT) update; $(APT) install python3-venv && python3 -m venv $(VENV); }

$(VENV)/installed: $(VENV)/bin/pip requirements/coax.txt requirements/build.txt
	$(VENV)/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements/coax.txt
	$(VENV)/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements/build.txt
	$(VENV)/bin/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements/dev.txt
	$(VENV)/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

system: ## Debian packages of the browser tests
	@command -v chromium >/dev/null && command -v pdftoppm >/dev/null || { $(APT) update && $(APT) install chromium poppler-utils fonts-dejavu-core; }

clean: ## remove what was built
	rm -rf $(VENV) build out .pytest_cache .mypy_cache .ruff_cache
