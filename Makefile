# Each target installs what it needs (scripts/setup) and runs. Pass extra arguments with ARGS.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup build demo test check bench fuzz clean

TARGET := $(or $(CARGO_TARGET_DIR),target)
# What real peers the tests may start; with it a missing peer is a failure, not a skipped test.
TEST_ENV := SCANVEIL_REQUIRE_SERVERS=1 SCANVEIL_TEST_VENV=$(CURDIR)/.local/venv

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: ## the whole flow on made-up studies of two made-up hospitals (ARGS=--exit to stop after it)
	scripts/setup build
	cargo build --locked --release -p scanveil
	$(TARGET)/release/scanveil demo $(ARGS)

test: ## every test, against real DICOM and S3 peers
	scripts/setup test
	$(TEST_ENV) cargo test --locked --workspace $(ARGS)

build: ## the release binary: target/release/scanveil
	scripts/setup build
	cargo build --locked --release -p scanveil

check: ## format, clippy with warnings denied, the house checks, licences
	scripts/setup build
	scripts/check

bench: ## speed beside gdcmanon, dcmanon, pydcm and storescp; writes benches/results (ARGS=--quick)
	scripts/setup bench
	cargo build --locked --release -p scanveil
	python3 benches/run.py --scanveil $(TARGET)/release/scanveil $(ARGS)
	cargo bench --locked -p scanveil-verify

fuzz: ## every parser of outside bytes, a minute each (ARGS="--seconds 600 pdf cda" for some)
	scripts/setup fuzz
	scripts/fuzz $(ARGS)

setup: ## install everything that any target needs
	scripts/setup bench

clean: ## remove what was built and set up
	cargo clean
	rm -rf .local
