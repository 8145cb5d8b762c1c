# Gatepost. `make help` lists what there is.

CARGO ?= cargo
.DEFAULT_GOAL := help
.PHONY: help build optimized nginx-module apache-module demo test fuzz-smoke lint load bench bench-bindings bench-servers timing update install uninstall deb go-archive go-docs cpp-docs wheel python-docs deny clean

help: ## lists the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name text; do printf '  make %-13s %s\n' "$$name" "$$text"; done

build: ## the shared library, the static archive and the command line, in target/release
	$(CARGO) build --release
	@ln -sf libgatepost.so $${CARGO_TARGET_DIR:-target}/release/libgatepost.so.0
	@bindings/c/dist.sh

# The trained build is taken with GATEPOST_RELEASE=$PWD/target/optimized, by `make install` and all that needs a build.
OPTIMIZED = $${CARGO_TARGET_DIR:-target}/optimized

optimized: build ## the same, the library trained on decisions of every kind (PGO; some minutes; wants rustup's llvm-tools), in target/optimized
	@bindings/c/optimized.sh
	@GATEPOST_RELEASE=$(OPTIMIZED) bindings/c/dist.sh

install: ## puts what `make build` or `make optimized` made below PREFIX (/usr/local), with DESTDIR in front
	@bindings/c/install.sh install

uninstall: ## takes an installation away again; the same variables
	@bindings/c/install.sh uninstall

deb: build ## Debian packages, in target/debian
	@bindings/debian/build.sh

go-archive: build ## the Go module with the static archive of this platform, as files of a module proxy in target/go
	@bindings/go/module.sh

cpp-docs: ## the reference of the C++ header, in target/docs (doxygen)
	@bindings/cpp/docs.sh

go-docs: ## the reference of the Go module, in target/docs
	@bindings/go/docs.sh

wheel: ## the wheel of the Python package, in target/wheel
	@bindings/python/wheel.sh

python-docs: build ## the reference of the Python package, in target/docs
	@bindings/python/docs.sh

nginx-module: build ## the nginx module, in target/nginx; bindings/nginx/build.sh install puts it into place
	@bindings/nginx/build.sh

apache-module: build ## the module of Apache httpd, in target/apache; bindings/apache/build.sh install puts it into place
	@bindings/apache/build.sh

demo: ## sets everything up and plays the main job on a real server
	@.ci/setup demo
	@examples/demo/demo.sh

# First what is compiled, then what only runs: each in lanes, since neither alone keeps two cores busy.
test: ## sets everything up, lints, and runs every test: side by side what does not disturb each other
	@.ci/setup test
	@.ci/lanes --together "$(MAKE) --no-print-directory lint" "$(CARGO) test --all-targets --no-run" \
		-- .ci/deny "$(MAKE) --no-print-directory build"
	@env -u GATEPOST_RELEASE .ci/lanes "$(CARGO) test --all-targets --no-fail-fast" "$(CARGO) test --doc" bindings/go/test.sh \
		-- tests/servers/run.sh \
		-- tests/bindings/run.sh bindings/python/test.sh

fuzz-smoke: ## libFuzzer on the readers of tokens, claims, keys, PEM, JSON and proofs: FUZZ_SECONDS (30) each, from seeds named after attacks
	@.ci/setup fuzz
	@fuzz/smoke.sh

lint: ## formatting and lints
	$(CARGO) fmt --check
	$(CARGO) fmt --check --manifest-path fuzz/Cargo.toml
	$(CARGO) clippy --all-targets -- -D warnings

deny: ## licences, sources and known flaws of the dependencies (deny.toml)
	@.ci/deny

load: ## the event-loop server under wrk, alone and while four clients log in
	@.ci/setup load
	@benches/event_loop.sh

bench: ## what one decision costs through the C interface, bearer tokens beside other libraries, and all of bench-bindings
	@.ci/setup bench
	@$(MAKE) --no-print-directory optimized
	@GATEPOST_RELEASE=$(OPTIMIZED) benches/decide.sh
	@echo
	@GATEPOST_RELEASE=$(OPTIMIZED) benches/tokens.sh
	@echo
	@$(MAKE) --no-print-directory bench-bindings

bench-bindings: ## C++, Python and Go: a decision beside the C call, services with the middleware, PyJWT, golang-jwt
	@.ci/setup bench
	@$(MAKE) --no-print-directory optimized
	@GATEPOST_RELEASE=$(OPTIMIZED) benches/bindings.sh
	@echo
	@GATEPOST_RELEASE=$(OPTIMIZED) benches/bindings_python.sh
	@echo
	@GATEPOST_RELEASE=$(OPTIMIZED) benches/bindings_go.sh

bench-servers: ## nginx and Apache httpd with Gatepost, beside their own authentication, under wrk
	@.ci/setup bench-servers
	@$(MAKE) --no-print-directory optimized
	@GATEPOST_RELEASE=$(OPTIMIZED) benches/servers.sh

timing: ## whether an unknown user can be told from a wrong password by the clock; for a quiet machine
	$(CARGO) bench --bench timing

update: ## rewrites what is generated: header, tables, docs/POLICY.md, docs/policy.schema.json, docs/REASONS.md, docs/EVENTS.md, docs/events.schema.json
	UPDATE=1 $(CARGO) test --lib -- policy::reference event::reference ffi::reason
	UPDATE=1 $(CARGO) test --test header --test reasons

clean: ## removes what was built
	$(CARGO) clean
