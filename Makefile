# `make demo` and `make test` need only Python 3.11, git and make. Each creates .venv if needed.
.DEFAULT_GOAL := help
.PHONY: help demo test check night fuzz mutants reliability lint fix hooks lock docs bench release setup setup-dev clean

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## /\1 /p' $(MAKEFILE_LIST) | while read -r name text; do printf 'make %-11s %s\n' "$$name" "$$text"; done

demo: setup ## a made-up district, server and client, ready to try in a browser
	@.venv/bin/sis-sync demo

test: setup-dev ## the gate: all checks, and all tests except the nightly ones
	@tools/services
	@tools/check

check: setup-dev ## check what your change affects, in under a minute; `make check SINCE=main`
	@.venv/bin/python tools/check_changes.py $(SINCE)

night: setup-dev ## all tests with more random inputs, and slow checks; takes hours
	@tools/services
	@tools/night

MINUTES ?= 10
fuzz: setup-dev ## plan random and damaged files; `make fuzz MINUTES=10 SEED=1`
	@PYTHONPATH=src:tests .venv/bin/python -m fuzz --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

mutants: setup-dev ## plant faults, one at a time, that the tests must catch; `make mutants ONLY=name`
	@PYTHONPATH=src:tests .venv/bin/python -m mutants $(if $(ONLY),--only "$(ONLY)")

reliability: setup-dev ## kill, lock, fill and attack a real server; `make reliability ONLY=limits DB=sqlite`
	@PYTHONPATH=src:tests .venv/bin/python -m reliability $(if $(ONLY),--only $(ONLY)) $(if $(DB),--db $(DB))

lint: setup-dev ## all checks, but no tests
	@tools/check lint

fix: setup-dev ## fix what ruff can fix, and format the code
	@.venv/bin/ruff check --fix --quiet || true
	@.venv/bin/ruff format --quiet

hooks: ## make git check each commit with tools/hooks
	@git config core.hooksPath tools/hooks

lock: setup-dev ## update requirements/*.lock; `make lock UPGRADE=--upgrade` takes newer versions
	@PATH="$(CURDIR)/.venv/bin:$$PATH" tools/lock $(UPGRADE)

docs: setup-dev ## update the generated parts of docs/
	@.venv/bin/python tools/write_docs.py

bench: setup-dev ## measure the steps on this machine; `make bench SCENARIOS=reading` measures one
	@.venv/bin/sis-sync bench $(SCENARIOS)

release: setup-dev ## make the version, changelog, commit, tag and dist/; `make release VERSION=1.2.3`
	@.venv/bin/python tools/release.py $(VERSION)

setup: ## make .venv with the packages that server and client need
	@tools/setup server

setup-dev: ## make .venv with the development tools as well
	@tools/setup dev

clean: ## remove .venv and all caches
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
