# Gatepost. `make help` lists what there is.

CARGO ?= cargo
# A test may panic; product code may not (see [lints] in Cargo.toml).
IN_TESTS = -A clippy::unwrap_used -A clippy::expect_used -A clippy::panic -A clippy::indexing_slicing
.DEFAULT_GOAL := help
.PHONY: help setup build demo test lint load update clean

help: ## lists the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name text; do printf '  make %-8s %s\n' "$$name" "$$text"; done

setup: ## installs the Debian packages that building and testing need
	@.ci/setup

build: ## the shared library, the static archive and the command line, in target/release
	$(CARGO) build --release
	@ln -sf libgatepost.so $${CARGO_TARGET_DIR:-target}/release/libgatepost.so.0

demo: setup ## sets everything up and plays the main job on a real server
	@examples/demo/demo.sh

test: setup lint ## sets everything up and runs every test
	$(CARGO) test --all-targets
	$(CARGO) test --doc

lint: ## formatting and lints
	$(CARGO) fmt --check
	$(CARGO) clippy --lib --bins -- -D warnings
	$(CARGO) clippy --all-targets -- -D warnings $(IN_TESTS)

load: setup ## the event-loop server under wrk, alone and while four clients log in
	@benches/event_loop.sh

update: ## rewrites what is generated: header, tables, docs/POLICY.md, docs/policy.schema.json
	UPDATE=1 $(CARGO) test --test header
	UPDATE=1 $(CARGO) test --lib policy::reference

clean: ## removes what was built
	$(CARGO) clean
