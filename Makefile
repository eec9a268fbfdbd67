# `make demo` and `make test` need only Python 3.11, git and make; each sets up .venv by itself.
.DEFAULT_GOAL := help
.PHONY: help demo test check night fuzz lint fix hooks lock docs bench release setup setup-dev clean

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## /\1 /p' $(MAKEFILE_LIST) | while read -r name text; do printf 'make %-10s %s\n' "$$name" "$$text"; done

demo: setup ## a made-up district, server and client, ready to try in a browser
	@.venv/bin/sis-sync demo

test: setup-dev ## the gate: every check and every test but those of the night
	@tools/services
	@tools/check

check: setup-dev ## what your change touches, in under a minute; `make check SINCE=main`
	@.venv/bin/python tools/check_changes.py $(SINCE)

night: setup-dev ## every test, more of each, and what takes long; some hours
	@tools/services
	@tools/night

MINUTES ?= 10
fuzz: setup-dev ## made-up and damaged files from bytes to plan; `make fuzz MINUTES=10 SEED=1`
	@PYTHONPATH=src:tests .venv/bin/python -m fuzz --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

lint: setup-dev ## the checks without the tests
	@tools/check lint

fix: setup-dev ## put right what ruff can put right by itself
	@.venv/bin/ruff check --fix --quiet || true
	@.venv/bin/ruff format --quiet

hooks: ## let git check each commit with tools/hooks
	@git config core.hooksPath tools/hooks

lock: setup-dev ## write requirements/*.lock anew; `make lock UPGRADE=--upgrade` takes newer versions
	@PATH="$(CURDIR)/.venv/bin:$$PATH" tools/lock $(UPGRADE)

docs: setup-dev ## write the generated parts of docs/ anew
	@.venv/bin/python tools/write_docs.py

bench: setup-dev ## what the steps cost on this machine; `make bench SCENARIOS=reading` measures one
	@.venv/bin/sis-sync bench $(SCENARIOS)

release: setup-dev ## version, changelog, commit, tag and the files in dist/; `make release VERSION=1.2.3`
	@.venv/bin/python tools/release.py $(VERSION)

setup: ## make .venv with what the server and the client need
	@tools/setup server

setup-dev: ## make .venv with the development tools too
	@tools/setup dev

clean: ## remove .venv and every cache
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
