# make demo          set everything up, write the textbook file (ROWS= says how long), train on it
# make check         after each change: format, lint, types, the core's tests, the tests of reading (3 minutes)
# make test          set everything up, check format, lint and types, run all tests (14 minutes)
# make bench         compare csvfeed with what people use instead (an hour; BENCH_MB=20 for a quick look)
# make bench-shuffle how random the shuffle is, beside others, and what it costs (15 minutes)
# make bench-cache   how fast cached epochs are (some minutes)
# make bench-shares  what each of 1 to 1,024 processes reads and holds (some minutes)
# make bench-stages  measure each stage of the Rust core by itself (some minutes)
# make explore       the tests on generated input, on more and other input than the last time
# make fuzz          run the fuzz targets, SECONDS= each; TARGETS= names some (needs a C++ compiler)
# make test-all      all tests that this machine can run: before a release, and after a change to how csvfeed trains (hours)
# make test-examples the examples of training on JAX, which "make test" runs on TensorFlow
# make test-torch    the tests of PyTorch and of Keras on it, in an environment of its own (2 GB and more)
# make test-distributed  training on several processes with JAX, PyTorch, Grain and Ray, in an environment of its own
# make test-keras-oldest  the tests of Keras with the oldest Keras and TensorFlow that csvfeed serves
# make test-keras-nightly  the same with the next Keras, as an early warning
# make test-free-threaded  the tests of threads, orders and reading without the GIL, on PYTHON_FREE= (Python 3.14t)
# make test-exits    end processes in the middle of their work, TIMES= each way, on TensorFlow and JAX (hours)
# make site          build the site of the documentation into target/site; make site-serve shows it while you write
# make test-wheels   build what a release publishes, install it under PYTHONS= and use it there (some minutes)
# make audit         look for known vulnerabilities, and for licenses that csvfeed does not allow (needs the network)
# make soak          train for long and see whether memory grows (some minutes)
# make test-aarch64  the core's tests with NEON, under qemu in a Debian of its own (needs root, 3 GB and half an hour)
# make test-windows  the core's tests built for Windows, under Wine in a Debian of its own (needs root, 4 GB and half an hour)
# make count-aarch64 instructions a field with NEON, beside AVX2, in the same Debian (some minutes)
# make sweep         millions of numbers through every instruction set (some minutes)
# make inspect-many  COUNT= generated tables through "csvfeed inspect", and the code it prints (an hour)
# make wheel         build a release wheel into dist/
# make clean         remove what these made

PYTHON ?= python3
# What "make test-wheels" installs wheels under, and the oldest platform that the wheel must run on.
PYTHONS ?= $(PYTHON)
COMPATIBILITY ?=
# What "make test-free-threaded" takes: CPython 3.14 or newer that was configured with --disable-gil.
PYTHON_FREE ?= python3.14t
ROWS ?=
WORKERS ?= 2
BENCH_MB ?=
SECONDS ?= 60
TIMES ?= 200
COUNT ?= 100000
TARGETS ?= index split number pipeline

VENV := .venv
BIN := $(VENV)/bin
PIP_ALOUD := $(BIN)/pip --disable-pip-version-check
PIP := $(PIP_ALOUD) --quiet
RUST := Cargo.toml Cargo.lock pyproject.toml $(shell find rust/core rust/binding -name '*.rs' -o -name Cargo.toml)
# Tests of what depends on the instruction set, and of what depends on where blocks end.
PER_SIMD := tests/reading
PER_BLOCK_SIZE := tests/reading tests/sources tests/order
PER_KERAS_BACKEND := tests/training
EXAMPLES := tests/docs/test_training_docs.py
DISTRIBUTED := tests/order/test_distribute.py \
    $(addprefix tests/training/test_,several_processes.py torch_processes.py torch.py grain.py ray.py \
    distributed_scripts.py elastic.py model_parallel.py wrong_setups.py)
# Test files run side by side; the tests of one file share what they set up.
PYTEST := $(BIN)/pytest -n $(WORKERS) --dist loadfile
# The build backend's arguments for the build that the tests use.
DEBUG := MATURIN_PEP517_ARGS=--profile=dev
# How many crates the extension is made of.
CRATES = $(shell cargo tree --locked --package csvfeed-binding --edges normal,build --prefix none | cut -d ' ' -f 1,2 | sort -u | wc -l)
comma := ,
TEST_TOOLS := 'hypothesis>=6.170$(comma)<7' 'pytest>=9.2$(comma)<10'
AARCH64 := tests/support/aarch64.sh
WINDOWS := tests/support/windows.sh
# An environment of its own, for what $(1) names; make takes the file for a sign that it is whole.
new_venv = rm -rf $(@D) && $(PYTHON) -m venv $(@D) && \
    $(@D)/bin/pip --disable-pip-version-check --quiet install $(1) && touch $@

# A Python extension does not link against libpython.
export PYO3_BUILD_EXTENSION_MODULE := 1
# A pipe fails if any of its commands does.
SHELL := bash
.SHELLFLAGS := -o pipefail -c
# Many processes import TensorFlow, and compiling it takes longer than the rest of its import: once is enough.
unexport PYTHONDONTWRITEBYTECODE
# The tests generate the same input each time, so that a change fails only for what it did; "make explore" does not.
export PROPTEST_RNG_SEED ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo check test test-all lint lint-rust lint-python site site-serve test-core test-reading test-python test-small-buffers test-wheel test-jax test-examples test-torch test-distributed test-keras-oldest test-keras-nightly test-free-threaded test-exits test-wheels explore audit soak sweep test-aarch64 test-windows count-aarch64 inspect-many fuzz bench bench-stages bench-shuffle bench-cache bench-shares wheel clean

help:
	@sed -n 's/^# //p' Makefile

demo:
	@$(MAKE) --no-print-directory --jobs=2 $(VENV)/demo
	$(BIN)/csvfeed demo --directory demo $(if $(ROWS),--rows $(ROWS))

check: lint test-core test-reading

# Downloads go on while the extension compiles, for which most of the rest waits. Then downloads, single threads and the
# last test files of each run leave a core to others: --output-sync keeps apart what they say.
test: export CARGO_INCREMENTAL := 0
test:
	$(MAKE) --jobs=2 $(VENV)/dev
	$(MAKE) --jobs=3 --output-sync --no-print-directory lint test-wheel test-core test-small-buffers test-python test-jax

test-all: test test-examples test-torch test-distributed test-keras-oldest test-keras-nightly test-wheels sweep

lint: lint-rust lint-python site

lint-rust:
	cargo fmt --all --check
	cargo fmt --manifest-path rust/fuzz/Cargo.toml --check
	cargo clippy --package csvfeed-core --package csvfeed-binding --all-targets --locked --quiet -- -D warnings

lint-python: $(VENV)/dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/stubtest csvfeed._core --allowlist tests/support/stubtest.txt --mypy-config-file pyproject.toml

# A link or an anchor that leads nowhere is an error. MkDocs counts no warning that it does not print.
site site-serve: export NO_MKDOCS_2_WARNING := 1
site: $(VENV)/dev
	$(BIN)/mkdocs build --strict

site-serve: $(VENV)/dev
	$(BIN)/mkdocs serve

test-core:
	cargo test --package csvfeed-core --locked --quiet --lib

test-reading: $(VENV)/dev
	$(PYTEST) tests/reading

# All tests under the fastest instruction set that this machine has. "test-small-buffers" takes portable code. It ends last
# and waits for processes, so it gets one worker more.
test-python: $(VENV)/dev
	$(PYTEST) -n $$(($(WORKERS) + 1))
	if CSVFEED_SIMD=avx512 $(BIN)/python -c 'import csvfeed; csvfeed.simd()' 2>/dev/null; then \
	    CSVFEED_SIMD=avx2 $(PYTEST) $(PER_SIMD); \
	fi

test-jax: $(VENV)/dev
	KERAS_BACKEND=jax $(PYTEST) $(PER_KERAS_BACKEND)

test-examples: $(VENV)/dev
	KERAS_BACKEND=jax $(PYTEST) $(EXAMPLES)

test-torch: target/torch-venv/whole $(VENV)/debug
	$(DEBUG) target/torch-venv/bin/pip --disable-pip-version-check --quiet install --editable .
	KERAS_BACKEND=torch target/torch-venv/bin/pytest $(PER_KERAS_BACKEND) $(EXAMPLES)

# Its tests that are marked as distributed take some minutes, and run here alone.
test-distributed: export CSVFEED_TEST_DISTRIBUTED := 1
test-distributed: target/distributed-venv/whole $(VENV)/debug
	$(DEBUG) target/distributed-venv/bin/pip --disable-pip-version-check --quiet install --editable .
	KERAS_BACKEND=jax target/distributed-venv/bin/pytest $(DISTRIBUTED)
	KERAS_BACKEND=torch target/distributed-venv/bin/pytest $(DISTRIBUTED)

test-keras-oldest: target/keras-oldest-venv/whole $(VENV)/debug
	$(DEBUG) target/keras-oldest-venv/bin/pip --disable-pip-version-check --quiet install --editable .
	target/keras-oldest-venv/bin/pytest $(PER_KERAS_BACKEND)
	KERAS_BACKEND=jax target/keras-oldest-venv/bin/pytest $(PER_KERAS_BACKEND)

# TensorFlow brings the stable Keras, which lies in the same place. The nightly one changes daily.
NIGHTLY_PIP := target/keras-nightly-venv/bin/pip --disable-pip-version-check --quiet
test-keras-nightly: target/keras-nightly-venv/whole $(VENV)/debug
	$(NIGHTLY_PIP) uninstall --yes keras
	$(NIGHTLY_PIP) install --upgrade keras-nightly
	$(DEBUG) $(NIGHTLY_PIP) install --editable .
	target/keras-nightly-venv/bin/pytest $(PER_KERAS_BACKEND)
	KERAS_BACKEND=jax target/keras-nightly-venv/bin/pytest $(PER_KERAS_BACKEND)

# The wheel has no stable ABI, so pip builds one of its own. What Keras needs is not there.
test-free-threaded:
	@$(PYTHON_FREE) -c 'import sys; sys.exit(sys._is_gil_enabled())' || \
	    { echo 'PYTHON_FREE= names a Python without the GIL: make test-free-threaded PYTHON_FREE=python3.14t'; exit 1; }
	rm -rf target/free-venv && $(PYTHON_FREE) -m venv target/free-venv
	$(DEBUG) target/free-venv/bin/pip --disable-pip-version-check --quiet install . 'pandas>=2.2$(comma)<4' $(TEST_TOOLS)
	target/free-venv/bin/pytest tests/system tests/order tests/reading

test-exits: $(VENV)/dev
	KERAS_BACKEND=tensorflow $(BIN)/python tests/support/exits.py --times $(TIMES) --plain
	KERAS_BACKEND=jax $(BIN)/python tests/support/exits.py --times $(TIMES)

# Blocks of 128 bytes and other small buffers, so that the same tests cross their ends everywhere.
test-small-buffers: $(VENV)/dev
	CSVFEED_SIMD=portable CSVFEED_BUFFERS=small $(PYTEST) $(PER_BLOCK_SIZE)

STRICT := -W error -W 'ignore:this csvfeed is a debug build'
# What a user installs works without anything but numpy. The wheel packs the build that the other tests use.
test-wheel: $(VENV)/debug
	rm -rf target/wheel target/wheel-venv && $(PYTHON) -m venv target/wheel-venv
	$(DEBUG) $(PIP) wheel --no-deps --wheel-dir target/wheel .
	target/wheel-venv/bin/pip --disable-pip-version-check --quiet install target/wheel/csvfeed-*.whl
	cd target && wheel-venv/bin/python $(STRICT) -m csvfeed --version
	cd target && wheel-venv/bin/python $(STRICT) -c \
	    'import csvfeed; (X, y), = csvfeed.CsvDataset(b"x,y\n1,2\n"); assert X.tolist() == [[1]] and y.tolist() == [2]'

# Zig links the wheel for the C library of an older platform. The source distribution is built once more, by pip.
test-wheels: target/wheels-venv/whole
	rm -rf target/release-dist
	PATH="$(CURDIR)/$(<D)/bin:$$PATH" maturin build --release --locked --out target/release-dist \
	    $(if $(COMPATIBILITY),--zig --compatibility $(COMPATIBILITY))
	$(<D)/bin/maturin sdist --out target/release-dist
	$(<D)/bin/abi3audit --strict --summary target/release-dist/*.whl
	CARGO_TARGET_DIR=$(CURDIR)/target $(PYTHON) tests/support/wheels.py $(addprefix --python ,$(PYTHONS)) target/release-dist/*

explore: $(VENV)/dev
	env -u PROPTEST_RNG_SEED cargo test --package csvfeed-core --locked --quiet --lib
	HYPOTHESIS_PROFILE=explore $(PYTEST) $(PER_BLOCK_SIZE) tests/cli

# The tests that try few numbers in a debug build and millions in a release build.
sweep:
	cargo test --release --locked --package csvfeed-core number::

# Cargo fetches crates outside, where it is set up for this machine, and builds inside. The sweep takes fewer numbers.
test-aarch64: target/aarch64-root/whole
	cargo fetch --locked
	CSVFEED_SWEEP=1000000 $(AARCH64) run $(<D) cargo test --profile emulated --locked --package csvfeed-core --lib
	$(AARCH64) run $(<D) cargo build --profile emulated --locked --package csvfeed-binding
	PROFILE=emulated $(AARCH64) python $(<D) 'import csvfeed; assert csvfeed.simd() == "neon"; \
	    (X, y), = csvfeed.CsvDataset(b"x,y\n1.5,-2e-3\n"); assert X.tolist() == [[1.5]] and y == y.dtype.type(-2e-3)'

# The extension is linked, and asks of Python nothing but what python3.dll has had since 3.10. What would import it is
# Python for Windows.
test-windows: target/windows-root/whole target/wheels-venv/whole
	cargo fetch --locked
	$(WINDOWS) run $(<D) cargo test --locked --package csvfeed-core --lib
	$(WINDOWS) run $(<D) cargo build --locked --package csvfeed-binding
	cp target/windows/x86_64-pc-windows-gnu/debug/_core.dll target/windows/_core.pyd
	target/wheels-venv/bin/abi3audit --strict --summary --assume-minimum-abi3 3.10 target/windows/_core.pyd

count-aarch64: target/aarch64-root/whole
	cargo fetch --locked
	$(AARCH64) run $(<D) benches/instructions.sh

# The databases of vulnerabilities are fetched anew. NumPy is what an installed csvfeed brings along.
audit: target/tools/bin/cargo-deny target/audit-venv/whole
	target/tools/bin/cargo-deny check
	target/audit-venv/bin/pip-audit .

inspect-many: $(VENV)/dev
	$(BIN)/python tests/support/inspected.py $(COUNT)

# The sanitizer is a nightly flag, which RUSTC_BOOTSTRAP lets a stable compiler take.
fuzz: target/tools/bin/cargo-fuzz
	for target in $(TARGETS); do \
	    RUSTC_BOOTSTRAP=1 PATH="$(CURDIR)/target/tools/bin:$$PATH" \
	    cargo fuzz run --fuzz-dir rust/fuzz --target-dir $(CURDIR)/target/fuzz $$target -- \
	    -max_total_time=$(SECONDS) -max_len=1024 -len_control=10 -print_final_stats=1 || exit; \
	done

bench-stages: $(VENV)/bench $(VENV)/release
	cargo clippy --package csvfeed-bench --all-targets --locked --quiet -- -D warnings
	$(BIN)/python benches/stages.py

bench-shuffle: $(VENV)/bench $(VENV)/release
	$(BIN)/python benches/shuffle.py

bench-cache: $(VENV)/bench $(VENV)/release
	$(BIN)/python benches/cache.py

bench-shares: $(VENV)/bench $(VENV)/release
	$(BIN)/python benches/shares.py

bench: $(VENV)/bench $(VENV)/release
	$(BIN)/python benches/readers.py $(if $(BENCH_MB),--mb $(BENCH_MB))
	$(BIN)/python benches/fit.py

soak: $(VENV)/bench $(VENV)/release
	$(BIN)/python benches/soak.py

wheel: $(BIN)/python
	rm -rf dist
	$(PIP) wheel --no-deps --wheel-dir dist .

clean:
	rm -rf $(VENV) target dist demo data python/csvfeed/*.so

# On x86-64 PyTorch brings CUDA along, which makes it large.
target/torch-venv/whole:
	$(call new_venv,'torch>=2.4$(comma)<3' 'torchdata>=0.11$(comma)<1' 'keras>=3.7$(comma)<4' $(TEST_TOOLS))

target/distributed-venv/whole:
	$(call new_venv,'torch>=2.4$(comma)<3' 'torchdata>=0.11$(comma)<1' 'grain>=0.2.16$(comma)<0.3' 'jax>=0.4.30$(comma)<1' \
	    'keras>=3.7$(comma)<4' 'ray[data$(comma)train]>=2.60$(comma)<3' $(TEST_TOOLS))

target/keras-oldest-venv/whole:
	$(call new_venv,'keras==3.7.0' 'tensorflow==2.16.*' 'jax==0.4.30' $(TEST_TOOLS))

target/keras-nightly-venv/whole:
	$(call new_venv,'tensorflow>=2.21$(comma)<3' 'jax>=0.10$(comma)<1' $(TEST_TOOLS))

target/aarch64-root/whole:
	$(AARCH64) make $(@D)
	touch $@

target/wheels-venv/whole:
	$(call new_venv,'maturin[zig]>=1.16$(comma)<2' 'abi3audit>=0.0.26$(comma)<0.1')

target/audit-venv/whole:
	$(call new_venv,'pip-audit>=2.10$(comma)<3')

target/tools/bin/cargo-deny:
	cargo install cargo-deny --version '^0.20' --locked --root target/tools

target/windows-root/whole:
	$(WINDOWS) make $(@D)
	touch $@

target/tools/bin/cargo-fuzz:
	cargo install cargo-fuzz --version '^0.13' --locked --root target/tools

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo 'csvfeed needs Python 3.10 or newer: make PYTHON=python3.12 ...'; exit 1; }
	@command -v cargo >/dev/null || { echo 'csvfeed is built with Rust: install it with rustup'; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Editable installs: changes in Python show at once, changes in Rust rebuild. Tests use a build that is quick to make,
# people and benchmarks a release build; the one takes the place of the other.
$(VENV)/debug: $(BIN)/python $(RUST)
	$(DEBUG) $(PIP) install --no-deps --editable .
	@rm -f $(VENV)/release && touch $@

# Who waits for the release build sees which crate it is at.
$(VENV)/release: $(BIN)/python $(RUST)
	@mkdir -p target
	@echo 'Compiling csvfeed with all optimizations. Of $(CRATES) crates the last takes longest, a minute or two.'
	@$(PIP_ALOUD) install --verbose --no-deps --editable . 2>&1 | tee target/release.log | \
	    awk '/^ *Compiling/ { print ++n ". " $$1, $$2, $$3; fflush() }' || { cat target/release.log; exit 1; }
	@rm -f $(VENV)/debug && touch $@

# An extra and csvfeed itself, side by side.
$(VENV)/dev: $(VENV)/dev-requirements | $(VENV)/debug
$(VENV)/demo: $(VENV)/demo-requirements | $(VENV)/release
$(VENV)/bench: $(VENV)/bench-requirements | $(VENV)/release
$(VENV)/dev $(VENV)/demo $(VENV)/bench:
	@touch $@

# Python compiles what it imports; the rest may stay as it is.
$(VENV)/%-requirements: pyproject.toml tests/support/requirements.py | $(BIN)/python
	@echo 'Installing what the extra "$*" names, TensorFlow among it: a minute or two.'
	@$(BIN)/python tests/support/requirements.py $* | \
	    $(if $(filter dev,$*),$(PIP),$(PIP_ALOUD)) install --no-compile --requirement /dev/stdin
	@touch $@
