# Two commands for a newcomer: `make demo` and `make test`. The others are for people who work on the house.
.PHONY: demo test check format soak bench install install-test docs messages clean
PY := .venv/bin/python

demo: .venv/.installed-demo          ## the fictional region, and a client in front of it
	@$(PY) -m demo $(ARGS)

test: .venv/.installed-test          ## everything that must hold, in under 20 minutes
	$(PY) -m pytest
	$(PY) -m demo --dir build/demo --play tapes/main-job.tape --screenshots build/screenshots --junit build/main-job.xml

check: .venv/.installed-test         ## format, lint, types, contracts, dead code: under 30 s
	@.venv/bin/ruff format --check --quiet . || (echo "make format" >&2; exit 1)
	@.venv/bin/ruff check --quiet .
	@.venv/bin/mypy
	@.venv/bin/lint-imports >build/imports.txt 2>&1 || (cat build/imports.txt; exit 1)
	@.venv/bin/vulture
	@echo "check: ok"

format: .venv/.installed-test        ## let ruff lay the code out
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

soak: .venv/.installed-test          ## the long runs: kills, walks, fuzz
	AVICENNE_SOAK=50 $(PY) -m pytest tests/scenarios tests/server -q

bench: .venv/.installed-test         ## every benchmark, one after the other
	@for file in bench/bench_*.py; do echo "== $$file"; $(PY) $$file || exit 1; done

docs: .venv/.installed-test          ## write the generated pages of docs/reference again
	$(PY) -m scripts.make_docs

messages: .venv/.installed-test      ## the words to translate, into client/locale/avicenne.pot
	$(PY) -m scripts.make_messages

install: .venv/.installed-demo
install-test: .venv/.installed-test

.venv/.installed-%: uv.lock pyproject.toml scripts/install.sh
	@scripts/install.sh $*
	@mkdir -p build

clean:
	rm -rf build .venv
