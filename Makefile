# Every target works on a fresh machine with python3 >= 3.11: the virtual environment is made when it is missing or when
# the dependencies changed.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-all check lint types floors bench clean

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("agdb needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable . --group dev
	touch $@

demo: .venv/ready      ## simulate, ingest, overlap, predict, test, draw: the whole path, with the known answer beside the found one
	rm -rf demo
	$(BIN)/agdb demo demo

# Files in their order: by itself xdist hands out those of few tests last, and the pages of docs/, which take longest,
# then keep one process busy while the others wait.
# A process a core already: threads of each for its matrices would wait for those of the other (a tenth of the time).
test test-all: export OPENBLAS_NUM_THREADS = 1

test: .venv/ready      ## the test suite, but for what is marked slow
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --quiet -m "not slow"

test-all: .venv/ready  ## the slow ones too: every benchmark in small, more ends at any moment
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --quiet

check: lint types floors test

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready
	$(BIN)/mypy

floors: .venv/ready
	$(BIN)/lint-imports

.venv-peers/ready: bench/peers.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --requirement bench/peers.txt
	touch $@

bench: .venv/ready .venv-peers/ready     ## against peers, on this machine, in one run
	$(BIN)/python -m bench.run

clean:
	rm -rf .venv .venv-peers demo
