# Everything here works on a machine with Rust (rustup and a C linker), Python 3 with pip, git and make.

ENVOY_VERSION = 1.40.0
ENVOY ?= $(CURDIR)/.envoy/envoy
WASM = target/wasm32-wasip1/release/switchyard.wasm
PYTHON ?= python3

export ENVOY

.DEFAULT_GOAL := help
.PHONY: help demo scenario test unit e2e golden corpus compose-test schema lint fuzz bench micro noop wasm build envoy clean FORCE

help: ## Show what there is to make
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

demo: scenario ## Run bookinfo on Envoy, show what Istio's manifests do to it, and keep it running (ONCE=1: end)

scenario: build ## The same for NAME=kim, catalog or httpbin
	@target/debug/demo $(or $(NAME),bookinfo)

test: build unit e2e golden corpus ## Run every test: the library, the command, and all of it on a real Envoy

unit: ## Run the tests that need no Envoy
	cargo test --workspace --lib --bins --test cli --test analysis

e2e: build noop ## Run the tests on a real Envoy
	RUST_TEST_THREADS=4 cargo test --test e2e
	cargo test --package bench

golden: build ## Compare with what Istio did, request by request, in the library and through Envoy (DIR=path: another folder)
	@$(if $(DIR),GOLDEN_DIR="$(abspath $(DIR))") cargo test --quiet --test golden

corpus: ## Compare with what Istio says of manifests
	@cargo test --quiet --test verdicts -- --show-output

compose-test: build ## Run scenarios in containers by envoy/compose.yaml, where a container engine answers
	@envoy/compose/test.sh

bench: envoy wasm noop ## Measure against Istio's routes on a real Envoy (QUICK=1: 4 minutes; ARGS='--help': what else)
	@cargo run --quiet --release -p bench -- $(if $(QUICK),--quick) $(ARGS)

micro: ## Measure deciding and loading alone, natively, with allocations
	@cargo bench --quiet --package bench

schema: ## Write the JSON Schemas that editors use
	@cargo build --quiet
	@mkdir -p envoy/schema
	@for kind in plugin manifest callers; do target/debug/switchyard schema --kind $$kind > envoy/schema/$$kind.json; done

lint: ## Check format and lints, for this machine and for Wasm
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy -p switchyard-filter --target wasm32-wasip1 -- -D warnings
	CUSTOM_LIBFUZZER_PATH=/dev/null cargo clippy --manifest-path fuzz/Cargo.toml -- -D warnings

fuzz: build ## Feed the library with anything (needs cargo-fuzz; TARGET=plugin, request, manifest or expression, SECONDS=60)
	@mkdir -p fuzz/corpus/plugin fuzz/corpus/manifest
	@for input in testdata/golden/*/*/input.yaml; do name=$$(basename $$(dirname $$input)); cp $$input fuzz/corpus/manifest/$$name; \
		target/debug/switchyard plugin-config -f $$input > fuzz/corpus/plugin/$$name 2>/dev/null || rm fuzz/corpus/plugin/$$name; done
	@for target in $(or $(TARGET),plugin request manifest expression); do \
		RUSTC_BOOTSTRAP=1 cargo fuzz run $$target -- -max_total_time=$(or $(SECONDS),60) -max_len=20000 -timeout=10 || exit 1; done

build: envoy wasm ## Build the filter, the command and the sample services
	@cargo build --workspace --exclude switchyard-filter

wasm: $(WASM) ## Build switchyard.wasm and print its size
	@$(PYTHON) -c "import gzip; raw = open('$(WASM)', 'rb').read(); \
	print(f'switchyard.wasm: {len(raw) / 1000:.0f} KB, {len(gzip.compress(raw)) / 1000:.0f} KB gzipped')"

$(WASM): FORCE
	@rustup target list --installed 2>/dev/null | grep -q wasm32-wasip1 || rustup target add wasm32-wasip1
	@cargo build --release --target wasm32-wasip1 -p switchyard-filter

noop: wasm
	@cargo build --quiet --release --target wasm32-wasip1 -p noop-filter

envoy: $(ENVOY) ## Install the pinned Envoy into .envoy

$(CURDIR)/.envoy/envoy:
	@envoy/install.sh $(ENVOY_VERSION) $(PYTHON)

clean: ## Remove what was built
	cargo clean
	rm -rf .envoy
