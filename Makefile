# Everything the book asks for, from a fresh clone: Python >= 3.11, make, and a Chromium for the browser tests.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV ?= .venv
PORT ?= 8000
PYTHON := $(VENV)/bin/python
READY := $(VENV)/.ready
HTML := _build/html
LINKS := _build/linkcheck
# A change in any of these asks for the whole book anew; in anything else, for the pages it is in (nnbook/renewal.py).
WHOLE := _config.yml _toc.yml requirements.txt Makefile book/_ext book/_templates book/assets book/references.bib nnmath \
  benchmarks
BUILT := _build/.built
FIRST_PAGE := $(HTML)/book/index.html

# One thread for each process, no progress bars, the same hashes: the same numbers on every run.
# glibc keeps what it has freed: NumPy asks for the same large blocks again and again (three times faster stacks).
build-env := OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 PYTHONHASHSEED=0 TQDM_DISABLE=1 \
  MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=1073741824
# On a PC also the same kernels of OpenBLAS and NumPy, whatever its processor has besides: a last bit that differs
# grows in a training run until a figure shows it. (A kernel that the environment asks for stays.)
ifeq ($(shell uname -m),x86_64)
OPENBLAS_CORETYPE ?= Haswell
same-kernels := OPENBLAS_CORETYPE=$(OPENBLAS_CORETYPE) NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL AVX512_SPR"
endif
# The peers of nnmath, with which `make bench` compares it, have an environment of their own.
PEERS ?= .venv-bench
PEERS_READY := $(PEERS)/.peers
in-bench = env $(build-env) $(if $(wildcard $(PEERS_READY)),$(PEERS),$(VENV))/bin/
in-env := env $(build-env) $(same-kernels) $(VENV)/bin/

.PHONY: help book pdf links test lab bench bench-peers serve execute clean

help: ## this list
	@echo "make ..."
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1	\2/p' Makefile | expand -t 15

$(READY): requirements.txt pyproject.toml tools/make_venv.sh
	@bash tools/make_venv.sh "$(VENV)"

book: $(READY) ## run every chapter and build the book, warnings are errors
	@all=--all; \
	if [ -f $(BUILT) ] && [ -d $(HTML) ] && \
	  [ -z "$$(find $(WHOLE) -name __pycache__ -prune -o -type f -newer $(BUILT) -print -quit)" ]; then all=; fi; \
	mkdir -p _build; rm -f $(BUILT); touch $(BUILT).begun; \
	$(in-env)jupyter-book build -W --keep-going $$all . \
	  || { echo "The book was not built; the first WARNING or ERROR above says why." >&2; exit 1; }; \
	mv $(BUILT).begun $(BUILT)
	@echo "The book is built. Open this page in a browser:"
	@echo "  file://$(CURDIR)/$(FIRST_PAGE)"

$(FIRST_PAGE):
	@$(MAKE) --no-print-directory book

pdf: book ## the whole book as one PDF (with the browser of the tests)
	@$(in-env)python tools/make_pdf.py

# What Sphinx learns of the pages here the next build of the book would not hear of: that one begins anew.
links: $(READY) ## ask every address beyond the book whether it is there (needs a network)
	@rm -f $(BUILT)
	@$(in-env)jupyter-book build -W --keep-going --builder custom --custom-builder linkcheck . \
	  || { echo "Not every address answered well; the lines with 'broken' in $(LINKS)/output.txt say which." >&2; exit 1; }

test: $(READY) ## everything that is checked: code, chapters, built pages
	@$(PYTHON) tests/book/chromium.py
	@echo "== 1 of 4: ruff"
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@echo "== 2 and 3 of 4: unit tests, and beside them the book from clean, which leaves a processor idle half the time"
	@rm -rf _build; mkdir -p _build; \
	$(MAKE) --no-print-directory book > _build/book.log 2>&1 & \
	$(in-env)python -m pytest tests --ignore=tests/book -q -n 2 --dist loadgroup || { kill $$!; exit 1; }; \
	$(in-env)python -m pytest --doctest-modules nnmath -q || { kill $$!; exit 1; }; \
	wait $$! || { cat _build/book.log; exit 1; }; tail -n 2 _build/book.log
	@echo "== 4 of 4: what the chapters gave, and the built pages in a browser, network cut off"
	@$(in-env)python -m pytest tests/book -q -n 3 --dist loadgroup
	@echo "make test: all checks passed."

lab: $(READY) ## open the chapters in JupyterLab
	@$(PYTHON) -m jupyterlab --LabApp.default_url=/lab/tree/notebooks

bench: $(if $(wildcard $(PEERS_READY)),$(PEERS_READY),$(READY)) ## measure the speed claims against the peers that are installed
	@$(in-bench)python -m benchmarks $(BENCH)

$(PEERS_READY): requirements.txt benchmarks/requirements.txt pyproject.toml tools/make_venv.sh
	@bash tools/make_venv.sh "$(PEERS)" benchmarks/requirements.txt
	@touch $@

bench-peers: $(PEERS_READY) ## install PyTorch and JAX, only for make bench (.venv-bench)

serve: $(READY) $(FIRST_PAGE) ## serve the built book on 127.0.0.1 (PORT=8000)
	@$(PYTHON) tools/serve.py $(HTML) $(PORT)

execute: $(READY) ## run the chapters again and save them as they are committed
	@$(in-env)python tools/save_notebooks.py

clean: ## remove what was built (environments stay; rm -rf .venv .venv-bench removes them)
	@rm -rf _build .pytest_cache .ruff_cache .hypothesis .jupyter_cache
	@find . \( -path ./$(VENV) -o -path ./$(PEERS) \) -prune -o \( -name __pycache__ -o -name .ipynb_checkpoints \) -type d -exec rm -rf {} +
