# Two commands are enough: `make demo` (set up and run the main job) and `make test` (set up and test).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
UV_COMPILE := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock" pyproject.toml
DEMO := runs/demo

.DEFAULT_GOAL := help
.PHONY: help setup demo test check verify bench odd golden lock clean chromium dev

help: ## Say what can be made
	@sed -n 's/^\([a-z]*\):.*## /  make \1 — /p' $(MAKEFILE_LIST)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.bootstrap: requirements/bootstrap.lock | $(BIN)/python
	$(PIP) install --require-hashes -r requirements/bootstrap.lock
	@touch $@

$(VENV)/.run: requirements/run.lock $(VENV)/.bootstrap
	@echo "installing what requirements/run.lock names (once)"
	$(PIP) install --require-hashes -r requirements/run.lock
	@touch $@

$(VENV)/.package: pyproject.toml $(VENV)/.run
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.package
	@echo "installing what requirements/dev.lock names (once)"
	$(PIP) install --require-hashes -r requirements/dev.lock
	@touch $@

setup: $(VENV)/.package ## Make .venv with what a run needs

dev: $(VENV)/.dev

chromium:
	@if command -v chromium >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing chromium for the browser tests"; \
		{ apt-get install -y -qq chromium || { apt-get update -qq && apt-get install -y -qq chromium; }; } \
			>/dev/null 2>&1 || echo "chromium could not be installed: the browser tests are skipped"; \
	else echo "there is no chromium here: the browser tests are skipped"; fi

demo: setup ## Run press-2018 over a city of 740 thousand for a year and write the report
	$(BIN)/underheaven run press-2018 --world city --days 365 --out $(DEMO) --overwrite
	@echo "open $(CURDIR)/$(DEMO)/report.html"

test: dev chromium ## Set up and run all tests
	$(BIN)/python -m pytest -q

check: dev ## Style, types and the quick tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -m "not slow and not browser and not integration"

verify: dev ## Statistical checks against closed forms (minutes)
	$(BIN)/python -m pytest -q verification --timeout=900

bench: setup ## Speed, memory and start time on this machine
	$(BIN)/python -m bench

odd: dev ## Write the tables of the model description again
	$(BIN)/python -m underheaven.show.odd

golden: dev ## Write the golden runs again; say in CHANGELOG.md which moved and why
	$(BIN)/python -m pytest -q tests/test_golden.py --golden

lock: | $(BIN)/python ## Resolve the requirements again
	@[ -x $(BIN)/uv ] || $(PIP) install uv
	$(UV_COMPILE) -o requirements/run.lock
	$(UV_COMPILE) --group dev -c requirements/run.lock -o requirements/dev.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" --group bootstrap -o requirements/bootstrap.lock

clean: ## Remove caches and built files; runs/ and .venv stay
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis src/*.egg-info
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
