# Everything a newcomer needs: `make demo`, `make test`. State goes to ./var (or TINGFENG_HOME).
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# keeps caches inside the checkout, so that an unwritable HOME is no obstacle
export PIP_CACHE_DIR ?= $(CURDIR)/var/cache/pip
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONUTF8 := 1

.PHONY: demo test lint types tests bench bench-stores bench-elasticsearch bench-workers faults faults-elasticsearch docs clean

demo: $(VENV)/.installed
	@$(BIN)/tingfeng demo || [ $$? -eq 130 ]  # Ctrl-C is how a person ends it

test: lint types tests

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy --cache-dir var/cache/mypy .

tests: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -q -p no:cacheprovider

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.run

bench-stores: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.stores_sqlite

# these three need a JDK 17 and the server of ../shared/elasticsearch or TINGFENG_TEST_ES_HOME
bench-elasticsearch: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.stores_elasticsearch

# 1, 2 and 4 judging processes on SQLite and on Elasticsearch
bench-workers: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.workers

# 20 times each: killed nodes, masters and processes, bad networks, red shards, clock jumps; half an hour
faults-elasticsearch: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.faults_elasticsearch

# kill -9 of writers, readers and workers, full disks, hard restarts of a private PostgreSQL, with a checker; several minutes
faults: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.faults_sqlite
	$(BIN)/python -m benchmarks.desk_faults
	$(BIN)/python -m benchmarks.judge_faults

docs: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.docs

clean:
	rm -rf $(VENV) var build *.egg-info

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "需要 Python 3.11 或更新版本;例如:make demo PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@touch $@

# torch comes as a CPU build where the index has one: see README, "安装 torch"
$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[models,dev]'
	@touch $@
