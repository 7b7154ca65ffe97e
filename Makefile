# Two commands are enough: `make run` and `make test`. Everything else is a part of one of them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
BEKAL_HOME ?= var
BEKAL_DEMO ?= 1
# one more than there are processors: now and then a test waits for a process
TEST_WORKERS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); [ $$n -gt 4 ] && n=4; [ $$n -lt 2 ] && n=2; echo $$((n + 1)))
T ?= tests
PYTEST_ARGS ?=

RUNTIME := $(VENV)/.runtime
DEVELOPMENT := $(VENV)/.development
INSTALLED := $(RUNTIME) $(DEVELOPMENT)
CATALOGS := $(wildcard marketplace/translations/*/LC_MESSAGES/*.po)
WORDS := $(CATALOGS:.po=.mo)

export PORT BEKAL_HOME BEKAL_DEMO
# compile once, not at every start of every process, whatever the machine's own setting is
export PYTHONDONTWRITEBYTECODE :=
ifneq ($(strip $(DATABASE_URL)),)
export DATABASE_URL DATABASE_OWNER_URL REDIS_URL
endif
# the pip that comes with an older Python takes three times as long to choose the same files
NEWER_PIP := pip==26.3 --hash=sha256:f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13
# the pinned sets are complete, and Python compiles what it imports: a third of the time less
PIP := $(BIN)/pip install --quiet --quiet --disable-pip-version-check --require-hashes --no-deps --no-compile

.DEFAULT_GOAL := help
.PHONY: help run test check compiled lint messages migrate demo e2e faults mutants bench clean

help: ## what can be made
	@sed -n 's/^\([a-z0-9]*\):.*## /\1 /p' $(MAKEFILE_LIST) | while read -r name words; do printf '  make %-8s %s\n' "$$name" "$$words"; done
	@echo
	@echo "  make faults FAULT_SECONDS=60 FAULT_EXAMPLES=2000 FAULT_SEED=1"
	@echo "  make bench JSON=out.json PEERS=1 ROWS=10000000 TRANSACTIONS=1000000 ROUNDS=5 SECONDS=4"
	@echo "  make bench PAGES=1 JSON=out.json ROUNDS=5 SECONDS=4"
	@echo "  make mutants MODULES='money posting' SAMPLE=25 SECONDS=600 AGAIN=1"
	@echo "  PORT=8000  BEKAL_HOME=var  BEKAL_DEMO=0  WEB_CONCURRENCY=2  T=tests/ledger  PYTEST_ARGS='-k seal -x'"
	@echo "  DATABASE_URL, DATABASE_OWNER_URL and REDIS_URL name real servers; tests need the first and last"

run: $(RUNTIME) $(WORDS) ## Bekal with its demo on this machine, until Ctrl-C
	@exec $(BIN)/flask dev up

# two packages are unpacked at a time; and while mypy has one processor, on another the modules are compiled,
# which each worker of the suite would do for itself
test: ## lint, types, import contracts, and the whole suite
	@$(MAKE) --no-print-directory -j2 $(INSTALLED)
	@$(MAKE) --no-print-directory -j2 lint compiled
	@$(MAKE) --no-print-directory check

compiled: $(INSTALLED) $(WORDS)
	@$(BIN)/python -m pytest --collect-only -q $(T) > /dev/null 2>&1 || true

check: $(INSTALLED) $(WORDS)
	@exec $(BIN)/python -m tests.run -n $(TEST_WORKERS) --dist loadscope --no-loadscope-reorder -q $(T) $(PYTEST_ARGS)

lint: $(INSTALLED) ## ruff, mypy and import contracts
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "run: $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo --cache-dir $(VENV)/.import-linter > $(VENV)/.lint-imports.log || { cat $(VENV)/.lint-imports.log; exit 1; }
	@echo "lint: ruff, mypy and import contracts are content"

# what is in the template but not in the catalogue is added untranslated, and fails a test until somebody translates it
messages: $(RUNTIME) ## collect the words of the code in the catalogue of English ones
	@$(BIN)/pybabel --quiet extract -F babel.cfg -k _l -k ngettext:1,2 -k MalformedNik --no-location --sort-output \
		--project Bekal --version 1 --width 110 -o $(VENV)/messages.pot .
	@$(BIN)/pybabel --quiet update -i $(VENV)/messages.pot -d marketplace/translations -l en \
		--no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --width 110

migrate: $(RUNTIME) ## bring the database's tables up to date, as its owner
	@exec $(BIN)/flask db upgrade

# a throw-away folder, unless BEKAL_HOME was named by whoever calls
demo: $(RUNTIME) $(WORDS) ## the whole job, unattended, ending with `books balance: yes`
	@$(if $(filter command environment,$(firstword $(origin BEKAL_HOME))),,unset BEKAL_HOME;) exec $(BIN)/flask dev demo $(if $(CATALOGUE),--catalogue "$(CATALOGUE)")

e2e: $(INSTALLED) $(WORDS) ## browser tests alone, each journey on a phone without script and on a desk with it
	@THOROUGH=1 $(BIN)/python -m tests.run tests/web/test_in_browser.py tests/web/test_browser_journeys.py $(PYTEST_ARGS)

# the ledger's machine plays other examples every time here; what fails names its FAULT_SEED
FAULT_SECONDS ?= 60
FAULT_EXAMPLES ?= 2000
faults: $(INSTALLED) $(WORDS) ## kill tests and the ledger's state machine alone, for longer than in make test
	@FAULT_SECONDS=$(FAULT_SECONDS) FAULT_EXAMPLES=$(FAULT_EXAMPLES) $(BIN)/python -m tests.run -n $(TEST_WORKERS) \
		--dist loadscope -q tests/faults tests/ledger/test_machine.py tests/ledger/test_killed_clerks.py $(PYTEST_ARGS)

BENCH_ARGS = $(if $(JSON),--json "$(JSON)") $(if $(filter 1,$(PEERS)),--peers) $(if $(ROWS),--rows $(ROWS)) \
	$(if $(TRANSACTIONS),--transactions $(TRANSACTIONS)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SECONDS),--seconds $(SECONDS))
PAGES_ARGS = $(if $(JSON),--json "$(JSON)") $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SECONDS),--seconds $(SECONDS))
bench: $(RUNTIME) ## how fast the ledger is (PAGES=1: pages and purchases), against floors measured beside it
	@exec $(BIN)/python -m $(if $(filter 1,$(PAGES)),bench.pages $(PAGES_ARGS),bench $(BENCH_ARGS))

# mutmut sees the tests' packages and is not among them; results are kept in mutants/, so pieces add up
MUTANTS := $(VENV)/mutants
MUTMUT := mutmut==3.8.1
MODULES ?=
MUTANT_ARGS = $(MODULES) $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SECONDS),--seconds $(SECONDS)) \
	$(if $(PATIENCE),--patience $(PATIENCE)) $(if $(AGAIN),--again)
mutants: $(INSTALLED) $(WORDS) ## change ledger/ in a thousand places: do the tests notice? (hours; MODULES='money posting')
	@test -x $(MUTANTS)/bin/mutmut || { $(BIN)/python -m venv $(MUTANTS) \
		&& $(MUTANTS)/bin/pip install --quiet --disable-pip-version-check $(MUTMUT) \
		&& $(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
			> "$$($(MUTANTS)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/tests.pth"; }
	@$(MUTANTS)/bin/python -m tests.mutants $(MUTANT_ARGS)

clean: ## remove everything that can be made again, and the data in var/
	@if [ -x $(BIN)/flask ] && [ -d var/run ]; then BEKAL_HOME=var $(BIN)/flask dev reset --yes; fi
	@rm -rf var $(VENV) mutants .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -prune -exec rm -rf {} +
	@rm -f $(WORDS)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Bekal needs Python 3.11 or later; $(PYTHON) is older. Name another: make PYTHON=python3.12"; exit 1; }
	@echo "making $(VENV)" && $(PYTHON) -m venv $(VENV)
	@echo "$(NEWER_PIP)" | $(PIP) --upgrade -r /dev/stdin

$(RUNTIME): requirements.txt | $(BIN)/python
	@echo "installing what Bekal runs on (hash-pinned)" && $(PIP) -r requirements.txt
	@touch $@

# nothing of it is in the other list, so both can be installed at once
$(DEVELOPMENT): requirements-dev.txt | $(BIN)/python
	@echo "installing what the tests need (hash-pinned)" && $(PIP) -r requirements-dev.txt
	@touch $@

%.mo: %.po | $(RUNTIME)
	@$(BIN)/pybabel --quiet compile --input-file $< --output-file $@
