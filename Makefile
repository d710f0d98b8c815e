# The front desk: `make` prints what there is.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
PACKAGES := newsletter sandbox tests migrations bench

help: ## Print these lines
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

.venv/.installed: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 …"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
		|| { echo "Python's venv is missing; on Debian: apt-get install python3-venv"; exit 1; }
	@echo "Installing, about a minute …"
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: .venv/.installed ## Make the virtual environment from the hashed lock files

run: setup ## Run it all here: web, worker, a mailbox and a stand-in Mailchimp; prints where to click
	@$(BIN)/python -m sandbox

test: setup lint ## Everything that is checked: lint, types, tests on SQLite and PostgreSQL, coverage
	$(BIN)/coverage erase
	$(BIN)/pytest --cov --cov-report=
	$(BIN)/coverage report

test-long: setup ## The tests that are worth running at length, at length: about an hour
	TEST_LONG=1 $(BIN)/pytest tests/journeys tests/worker/audience/test_outage.py tests/web/openapi

mutants: setup ## Change the code in small ways, and see that tests fail: hours, and only what is not known yet
	nice -n 19 $(BIN)/mutmut run --max-children 1
	$(BIN)/mutmut results

screenshots: setup ## Take pictures of every page into docs/screenshots
	CI=true SCREENSHOTS=docs/screenshots $(BIN)/pytest -q -n 0 tests/browser/test_desk.py tests/browser/test_pages.py

bench: setup ## Measure how fast it is, beside a bare Flask view and django-newsletter
	$(BIN)/python -m bench

lint: setup ## Style, types, texts
	$(BIN)/ruff format --check $(PACKAGES)
	$(BIN)/ruff check $(PACKAGES)
	$(BIN)/mypy

format: setup ## Put the code into its one form
	$(BIN)/ruff format $(PACKAGES)
	$(BIN)/ruff check --fix $(PACKAGES)

texts: setup ## Take new texts into the German catalogues, and compile them
	@for each in newsletter:newsletter/texts sandbox:sandbox; do \
		pot=/tmp/$${each%%:*}.pot; catalogue=$${each#*:}/translations; \
		$(BIN)/pybabel -q extract -F babel.cfg -k UnreadableFile --no-location --sort-output -o $$pot $${each%%:*} && \
		$(BIN)/pybabel -q update --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date -i $$pot -d $$catalogue && \
		$(BIN)/pybabel -q compile -d $$catalogue || exit 1; \
	done

migration: setup ## Write a migration for changed models: make migration NAME="what changes"
	$(BIN)/flask --app newsletter.cli.migrate db migrate -m "$(NAME)"

lock: ## Resolve the dependencies anew (needs uv)
	uv pip compile pyproject.toml --group build --upgrade --universal --python-version 3.11 --generate-hashes --no-strip-extras \
		--no-emit-index-url --no-header --quiet -o requirements.txt
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-strip-extras \
		--no-emit-index-url --no-header --quiet -c requirements.txt -o requirements-dev.txt

.PHONY: help setup run test test-long mutants screenshots bench lint format texts migration lock
