# make demo          set everything up, write the textbook file (ROWS= says how long), train on it
# make test          set everything up, check format, lint and types, run all tests
# make bench         compare csvfeed with what people use instead (an hour; BENCH_MB=20 for a quick look)
# make bench-shuffle how random the shuffle is, beside others, and what it costs (15 minutes)
# make bench-cache   how fast cached epochs are (some minutes)
# make bench-stages  measure each stage of the Rust core by itself (some minutes)
# make fuzz          run the fuzz targets, SECONDS= each; TARGETS= names some (needs a C++ compiler)
# make test-torch    the tests of PyTorch and of Keras on it, in an environment of its own (2 GB and more)
# make test-keras-oldest  the tests of Keras with the oldest Keras and TensorFlow that csvfeed serves
# make test-exits    end processes in the middle of their work, TIMES= each way, on TensorFlow and JAX (hours)
# make soak          train for long and see whether memory grows (some minutes)
# make sweep         millions of numbers through every instruction set (some minutes)
# make inspect-many  COUNT= generated tables through "csvfeed inspect", and the code it prints (an hour)
# make wheel         build a release wheel into dist/
# make clean         remove what these made

PYTHON ?= python3
ROWS ?=
WORKERS ?= 2
BENCH_MB ?=
SECONDS ?= 60
TIMES ?= 200
COUNT ?= 100000
TARGETS ?= index split number pipeline

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet
RUST := Cargo.toml Cargo.lock pyproject.toml $(shell find rust/core rust/binding -name '*.rs' -o -name Cargo.toml)
DEBUG_PACKAGE := target/debug/python
# What the fuzz targets check, without libFuzzer and its C++.
FUZZ_CHECKS := --manifest-path rust/fuzz/Cargo.toml --target-dir target/fuzz --no-default-features --locked
# What reading gives, which must be the same under every instruction set.
READING := $(addprefix tests/reading/test_, rules.py numbers.py number_forms.py notation.py dialects.py tables.py errors.py dataset.py data.py fill.py stats.py categories.py booleans.py dates.py durations.py file_oddities.py rejects.py together.py)
# What crosses the boundaries of blocks, which are everywhere in a debug build.
BLOCKS := tests/order $(READING) $(addprefix tests/reading/test_, sources.py compressed.py sniffing.py directories.py)
# What must hold on each backend of Keras.
TRAINING := $(wildcard tests/training/test_keras*.py) $(addprefix tests/training/test_, as_dict.py backup.py class_weight.py normalization.py super_batches.py)
# Test files run side by side; the tests of one file share what they set up.
PYTEST := $(BIN)/pytest -n $(WORKERS) --dist loadfile
comma := ,
# An environment of its own, for what $(1) names; make takes the file for a sign that it is whole.
new_venv = rm -rf $(@D) && $(PYTHON) -m venv $(@D) && \
    $(@D)/bin/pip --disable-pip-version-check --quiet install $(1) && touch $@

# A Python extension does not link against libpython.
export PYO3_BUILD_EXTENSION_MODULE := 1

.DEFAULT_GOAL := help
.PHONY: help demo test lint test-rust test-python test-debug test-wheel test-jax test-torch test-keras-oldest test-exits soak sweep inspect-many fuzz bench bench-stages bench-shuffle bench-cache wheel clean

help:
	@sed -n 's/^# //p' Makefile

demo: $(VENV)/demo
	$(BIN)/csvfeed demo --directory demo $(if $(ROWS),--rows $(ROWS))

test: lint test-rust test-debug test-wheel test-python test-jax

lint: $(VENV)/dev
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo fmt --manifest-path rust/fuzz/Cargo.toml --check
	cargo clippy $(FUZZ_CHECKS) --all-targets -- -D warnings
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

test-rust:
	cargo test --workspace --locked --quiet
	cargo test $(FUZZ_CHECKS) --quiet

# The whole suite under the fastest instruction set that this machine has, and what reading gives under the others.
test-python: $(VENV)/dev
	@tests=; for simd in avx512 avx2 portable; do \
	    if CSVFEED_SIMD=$$simd $(BIN)/python -c 'import csvfeed; csvfeed.simd()' 2>/dev/null; then \
	        echo "CSVFEED_SIMD=$$simd pytest" && CSVFEED_SIMD=$$simd $(PYTEST) $$tests || exit 1; \
	        tests='$(READING)'; \
	    fi; \
	done

test-jax: $(VENV)/dev
	KERAS_BACKEND=jax $(PYTEST) $(TRAINING)

test-torch: target/torch-venv/whole
	target/torch-venv/bin/pip --disable-pip-version-check --quiet install --editable .
	KERAS_BACKEND=torch target/torch-venv/bin/pytest $(TRAINING) tests/training/test_torch.py

test-keras-oldest: target/keras-oldest-venv/whole
	target/keras-oldest-venv/bin/pip --disable-pip-version-check --quiet install --editable .
	target/keras-oldest-venv/bin/pytest $(TRAINING) tests/training/test_tensorflow.py
	KERAS_BACKEND=jax target/keras-oldest-venv/bin/pytest $(TRAINING)

test-exits: $(VENV)/dev
	KERAS_BACKEND=tensorflow $(BIN)/python tests/support/exits.py --times $(TIMES) --plain
	KERAS_BACKEND=jax $(BIN)/python tests/support/exits.py --times $(TIMES)

# The debug build has blocks of 128 bytes, so that the same tests cross block boundaries everywhere.
test-debug: $(VENV)/dev
	cargo build --locked --package csvfeed-binding
	rm -rf $(DEBUG_PACKAGE) && mkdir -p $(DEBUG_PACKAGE)
	cp -r python/csvfeed $(DEBUG_PACKAGE) && rm -f $(DEBUG_PACKAGE)/csvfeed/*.so
	cp target/debug/lib_core.so $(DEBUG_PACKAGE)/csvfeed/_core.abi3.so
	PYTHONPATH=$(DEBUG_PACKAGE) $(PYTEST) -W ignore::RuntimeWarning $(BLOCKS)

# What a user installs works without anything but numpy.
test-wheel: wheel
	rm -rf target/wheel-venv && $(PYTHON) -m venv target/wheel-venv
	target/wheel-venv/bin/pip --disable-pip-version-check --quiet install dist/csvfeed-*.whl
	cd target && wheel-venv/bin/python -W error -m csvfeed --version
	cd target && wheel-venv/bin/python -W error -c \
	    'import csvfeed; (X, y), = csvfeed.CsvDataset(b"x,y\n1,2\n"); assert X.tolist() == [[1]] and y.tolist() == [2]'

# The tests that try few numbers in a debug build and millions in a release build.
sweep:
	cargo test --release --locked --package csvfeed-core number::

inspect-many: $(VENV)/dev
	$(BIN)/python tests/support/inspected.py $(COUNT)

# The sanitizer is a nightly flag, which RUSTC_BOOTSTRAP lets a stable compiler take.
fuzz: target/tools/bin/cargo-fuzz
	for target in $(TARGETS); do \
	    RUSTC_BOOTSTRAP=1 PATH="$(CURDIR)/target/tools/bin:$$PATH" \
	    cargo fuzz run --fuzz-dir rust/fuzz --target-dir $(CURDIR)/target/fuzz $$target -- \
	    -max_total_time=$(SECONDS) -max_len=1024 -len_control=10 -print_final_stats=1 || exit; \
	done

bench-stages: $(VENV)/bench
	$(BIN)/python benches/stages.py

bench-shuffle: $(VENV)/bench
	$(BIN)/python benches/shuffle.py

bench-cache: $(VENV)/bench
	$(BIN)/python benches/cache.py

bench: $(VENV)/bench
	$(BIN)/python benches/readers.py $(if $(BENCH_MB),--mb $(BENCH_MB))
	$(BIN)/python benches/fit.py

soak: $(VENV)/bench
	$(BIN)/python benches/soak.py

wheel: $(BIN)/python
	rm -rf dist
	$(PIP) wheel --no-deps --wheel-dir dist .

clean:
	rm -rf $(VENV) target dist demo data python/csvfeed/*.so

# On x86-64 PyTorch brings CUDA along, which makes it large.
target/torch-venv/whole:
	$(call new_venv,'torch>=2.4$(comma)<3' 'keras>=3.7$(comma)<4' 'pytest>=9.2$(comma)<10')

target/keras-oldest-venv/whole:
	$(call new_venv,'keras==3.7.0' 'tensorflow==2.16.*' 'jax==0.4.30' 'pytest>=9.2$(comma)<10')

target/tools/bin/cargo-fuzz:
	cargo install cargo-fuzz --version '^0.13' --locked --root target/tools

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo 'csvfeed needs Python 3.10 or newer: make PYTHON=python3.12 ...'; exit 1; }
	@command -v cargo >/dev/null || { echo 'csvfeed is built with Rust: install it with rustup'; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Editable installs of a release build: changes in Python show at once, changes in Rust rebuild.
$(VENV)/demo $(VENV)/dev $(VENV)/bench: $(VENV)/%: $(BIN)/python $(RUST)
	$(PIP) install --editable '.[$*]'
	@touch $@
