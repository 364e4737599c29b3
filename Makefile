# make run        start the app (PORT=8501; CPU=1 installs PyTorch without GPU packages)
# make serve      start the service that runs the networks for app servers (SERVE_PORT=8600)
# make test       linter, type checker, tests (WORKERS=4 processes; else one more than cores)
# make test-long  also the slow tests: every size, every builder
# make bench      the figures of benchmarks/, as JSON
# make weights    fetch full-size models for a lecture, while there is a network
# make clean      remove what the others made

PYTHON ?= python3
PORT ?= 8501
SERVE_PORT ?= 8600
# One more than cores: a test in a browser often waits for it.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
# What is compiled is kept, or each program that a test starts compiles the same files anew.
export PYTHONDONTWRITEBYTECODE :=
VENV := .venv
BIN := $(VENV)/bin

# $(call install,NAME): the versions of NAME.lock; CPU=1 leaves the GPU packages out
define install
	@echo "Installing into $(VENV): about 4 minutes and 6 GB; CPU=1 leaves the GPU packages out."
	sh deploy/install.sh $(BIN)/python $(1) $(if $(CPU),cpu)
endef

# $(call check,OPTIONS): linter, then tests with the type checker beside them, which has one thread
define check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@$(BIN)/mypy >$(VENV)/mypy.log 2>&1 & types=$$!; \
	$(BIN)/python -m pytest $(1) -n $(WORKERS); tests=$$?; \
	wait $$types; types=$$?; cat $(VENV)/mypy.log; exit $$((tests + types))
endef

.PHONY: run serve test test-long bench weights clean

run: $(VENV)/run.stamp
	$(BIN)/streamlit run app.py --server.port $(PORT)

serve: $(VENV)/serve.stamp
	$(BIN)/python -m vision_core serve --port $(SERVE_PORT)

test: $(VENV)/dev.stamp
	$(call check,-m "not long")

test-long: $(VENV)/dev.stamp
	$(call check,)

bench: $(VENV)/run.stamp
	for script in $(filter-out benchmarks/__init__.py benchmarks/common.py benchmarks/visitor.py benchmarks/app_servers.py benchmarks/onlookers.py,$(wildcard benchmarks/*.py)); do \
		echo "== $$script"; $(BIN)/python -m benchmarks.$$(basename $$script .py) || exit 1; \
	done

weights: $(VENV)/run.stamp
	$(BIN)/python -m vision_core weights download --lecture

clean:
	rm -rf $(VENV) node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name one with make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.txt requirements.lock | $(BIN)/python
	$(call install,requirements)
	touch $@

$(VENV)/serve.stamp: requirements-serve.txt requirements-serve.lock requirements.txt | $(BIN)/python
	$(call install,requirements-serve)
	touch $@ $(VENV)/run.stamp

$(VENV)/dev.stamp: requirements-dev.txt requirements-dev.lock requirements.txt package.json | $(BIN)/python
	$(call install,requirements-dev)
	@{ command -v npm >/dev/null && npm install --no-package-lock --no-audit --no-fund; } \
		|| echo "No linter for JavaScript: npm or its network is missing; its tests are skipped."
	touch $@ $(VENV)/run.stamp
