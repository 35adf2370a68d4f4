# Two commands do everything: `make rehearse` and `make test`. Both install what they need into this checkout.

.PHONY: rehearse test check lint types unit docs example faults bench pictures clean help
.DEFAULT_GOAL := help

# A checkout that may not keep its byte code compiles itself anew at every start.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
READY := .venv/.ready

help: ## say what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

rehearse: $(READY) ## release examples/stockweb twice on an AWS that runs on this machine, under load
	scripts/node $(BIN)/seatrial rehearse --config examples/stockweb/seatrial.toml

test: $(READY) ## lint, types, docs and the whole test suite
	scripts/test

lint: $(READY) ## ruff
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(READY) ## mypy, strict
	$(BIN)/mypy

unit: $(READY) ## the tests without input and output, in seconds
	$(BIN)/pytest tests/unit

docs: $(READY) ## the documentation, warnings are errors
	$(BIN)/mkdocs build --strict --quiet

example: $(READY) ## the example application's own tests
	scripts/test-example

faults: $(READY) ## every fault under every strategy, those too that `make test` tries under one that says it for all
	SEATRIAL_EVERY_FAULT=1 $(BIN)/pytest --numprocesses 3 --dist loadfile tests/functional/faults

bench: $(READY) ## measure; the results stand in bench/README.md
	scripts/node $(BIN)/python -m bench

pictures: $(READY) ## release the example by each strategy and draw docs/pictures
	scripts/node $(BIN)/python -m bench.pictures

clean: ## remove what was installed or made here
	@# Podman leaves its storage mounted when it ends.
	@if mountpoint -q .cache/container-engine/storage/overlay; then umount .cache/container-engine/storage/overlay; fi
	rm -rf .venv .cache .seatrial site examples/stockweb/.seatrial examples/stockweb/.venv \
		examples/stockweb/.videos examples/stockweb/frontend/node_modules

$(READY): requirements.lock pyproject.toml scripts/bootstrap
	scripts/bootstrap
