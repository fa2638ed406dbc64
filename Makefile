# What one does in this house. Each target installs what is missing first; `make` alone lists them.

PREFIX ?= /usr/local
# Decides what the tests that draw by chance draw.
SEED ?= 0
# Compiler flags for what is built to be used, and for the tests; .ci/run sets these so that they share one build with `lint`.
SWIFT_FLAGS ?=
TEST_FLAGS ?=
WARNINGS_AS_ERRORS := -Xswiftc -warnings-as-errors -Xcc -Wall -Xcc -Werror=all
# What compiles the tests fastest from nothing. While one works on them, `swift test` by itself compiles what was changed, and not its
# whole module.
IN_ONE_GO := -Xswiftc -whole-module-optimization -Xswiftc -num-threads -Xswiftc $(shell nproc)

# Debug builds are for tests here, which multiply matrices for minutes: Package.swift has what computes optimised.
export RRDATA_OPTIMIZED_TESTS := 1

.PHONY: help dependencies build install uninstall deb test-deb library install-library wheel lint test test-python test-torch test-finetune test-wheel test-pages demo documentation peers bench-engine bench-formats bench-stream bench-python bench-training bench-memory \
	experiments fuzz fuzz-commands flip-bytes faults power-cuts soak sanitize-thread sanitize-address valgrind clean

help:
	@echo "make dependencies   install the system libraries that are missing"
	@echo "make build          build in release"
	@echo "make install        build, and put rrdata, its manual pages and completions of bash, zsh and fish into PREFIX ($(PREFIX))"
	@echo "make uninstall      take these out of PREFIX again"
	@echo "make deb            a Debian package of the command, in dist"
	@echo "make test-deb       the same, installed where nothing but Debian is, to import, train and report there (as root; minutes)"
	@echo "make library        librrdata.so, its header, what it starts and the command, in .build-library"
	@echo "make install-library  make library, and copy them to PREFIX ($(PREFIX))"
	@echo "make wheel          the Python package with library and command, in dist"
	@echo "make lint           layout, floors and house rules; a build and documentation where warnings are errors"
	@echo "make test           run every test, use the library from a package outside, and let some calls and the power fail"
	@echo "make test-python    the tests of the Python package, on the library as it is installed"
	@echo "make test-torch     the same, with PyTorch, Lightning and torchdata installed first (some GB)"
	@echo "make test-finetune  the fine-tuning example in one process and two, where pip knows a PyTorch for processors alone (minutes)"
	@echo "make test-wheel     the wheel in an environment of its own, with the Python lines of the README"
	@echo "make test-pages     reports in headless Chromium, where Chromium and Playwright can be had (minutes)"
	@echo "make documentation  the library's documentation, as pages in .build-documentation/pages"
	@echo "make demo           from a folder of PNGs to a model that is right for the right reasons"
	@echo "make bench-engine   training steps against PyTorch and JAX, in one run (half an hour; NETWORKS=resnet50 for one of torchvision's)"
	@echo "make bench-formats  imports against Pillow, OpenCV, torchvision and h5py, in one run (some minutes)"
	@echo "make bench-stream   streams against PyTorch, h5py, WebDataset, Grain and others, in one run (some minutes)"
	@echo "make bench-python   the Python package, and its loss, against PyTorch and torchvision, in one run (some minutes)"
	@echo "make bench-training a whole training with masks against PyTorch, in one run (some minutes)"
	@echo "make bench-memory   what training holds in memory with and without a limit (some minutes)"
	@echo "make experiments    the paper's tables and the comparison with PyTorch Lightning (hours; it goes on where it stopped)"
	@echo "make fuzz           each reader under libFuzzer and sanitizers, SECONDS=60 for each"
	@echo "make fuzz-commands  damaged files of every format to every reading command, N=2000 of them by SEED=0"
	@echo "make flip-bytes     each byte of a dataset, masks and a run flipped, STEP=1: found, or read as before"
	@echo "make faults         each call of the C library that a writing command makes fails, or is its last (an hour; N=40)"
	@echo "make power-cuts     what a power cut may leave of each writing command (N=100 cuts)"
	@echo "make soak           streams for an hour (MINUTES=60), in which memory and descriptors must stay as they are"
	@echo "make sanitize-thread   the tests of streams and training under the thread sanitizer (some minutes)"
	@echo "make sanitize-address  every test under the address sanitizer (a quarter of an hour)"
	@echo "make valgrind       the programs in C that test the C interface under valgrind (some minutes)"
	@echo "make clean          remove what was built"

dependencies:
	@.ci/install-dependencies

build: dependencies
	swift build -c release --product rrdata $(SWIFT_FLAGS)

install: build
	install -D -m 755 "$$(swift build -c release --show-bin-path)/rrdata" "$(DESTDIR)$(PREFIX)/bin/rrdata"
	.ci/install-documents "$(DESTDIR)$(PREFIX)/bin/rrdata" "$(DESTDIR)$(PREFIX)"

uninstall:
	rm -f "$(DESTDIR)$(PREFIX)/bin/rrdata" "$(DESTDIR)$(PREFIX)"/share/man/man1/rrdata.1 \
		"$(DESTDIR)$(PREFIX)"/share/man/man1/rrdata-*.1 "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/rrdata" \
		"$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_rrdata" "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/rrdata.fish"

deb: dependencies
	.ci/make-deb dist

# Makes a root with debootstrap, which is slow and needs a mirror: no part of CI.
test-deb: deb
	.ci/test-deb dist/rrdata_*.deb

library: dependencies
	.ci/link-library .build-library

install-library: library
	install -D -m 755 .build-library/librrdata.so.1 "$(DESTDIR)$(PREFIX)/lib/librrdata.so.1"
	ln -sf librrdata.so.1 "$(DESTDIR)$(PREFIX)/lib/librrdata.so"
	install -D -m 644 .build-library/rrdata.h "$(DESTDIR)$(PREFIX)/include/rrdata.h"
	install -D -m 755 .build-library/rrdata "$(DESTDIR)$(PREFIX)/bin/rrdata"
	install -D -m 755 .build-library/rrdata-hdf5-reader "$(DESTDIR)$(PREFIX)/libexec/rrdata-hdf5-reader"

wheel: dependencies
	.ci/make-wheel dist

# On the dataset of the demo.
test-wheel: wheel
	test -f demo/masks.h5 || .ci/demo
	.ci/test-wheel dist/rrdata-*.whl demo/decoy.h5 demo/masks.h5

lint: dependencies
	swift format lint --strict --recursive Sources Tests schemas Package.swift Benchmarks/Package.swift Benchmarks/Sources
	.ci/test-checks
	.ci/check-imports
	.ci/check-sources
	swift build --build-tests --explicit-target-dependency-import-check error $(WARNINGS_AS_ERRORS) $(IN_ONE_GO)
	.ci/check-documentation .build-documentation/pages $(WARNINGS_AS_ERRORS) $(IN_ONE_GO)

# The command is tested as packages and wheels have it: it is started thousands of times, and that of `make install` takes twice as
# long to start, for it loads Swift. Unoptimised, it takes half a second to parse its own options.
test: library
	RRDATA_EXECUTABLE="$(CURDIR)/.build-library/rrdata" swift test $(TEST_FLAGS) $(IN_ONE_GO)
	.ci/test-outside
	.ci/test-faults "$(CURDIR)/.build-library/rrdata" $(SEED)

# WORDS go to pytest: `--long` goes on as a night's training does, `--seed 7` draws other combinations, `-k order` runs some.
test-python: library
	.ci/test-python .build-library/librrdata.so $(WORDS)

test-torch: dependencies
	.ci/install-torch
	$(MAKE) test-python

test-finetune: library
	.ci/test-finetune .build-library/librrdata.so

# Chromium is large and slow beside all else: no part of CI.
test-pages: build
	.ci/test-pages "$$(swift build -c release --show-bin-path)/rrdata" $(WORDS)

documentation: dependencies
	.ci/check-documentation .build-documentation/pages

demo: dependencies
	.ci/demo

# The peers come from PyPI, into a virtual environment that is made once.
peers:
	test -x .build-peers/bin/python || python3 -m venv .build-peers
	.build-peers/bin/pip install --quiet --requirement Benchmarks/peers/requirements.txt

bench-engine: build peers
	swift build --package-path Benchmarks -c release
	.build-peers/bin/python Benchmarks/engine.py --rrdata "$$(swift build -c release --show-bin-path)/rrdata" \
		--ours "$$(swift build --package-path Benchmarks -c release --show-bin-path)/EngineBenchmark" \
		$(if $(NETWORKS),--photos $(NETWORKS))

bench-formats: build peers
	.build-peers/bin/python Benchmarks/formats.py --rrdata "$$(swift build -c release --show-bin-path)/rrdata"

bench-stream: build peers
	.build-peers/bin/python Benchmarks/stream.py --rrdata "$$(swift build -c release --show-bin-path)/rrdata"

bench-python: library peers
	.build-peers/bin/python Benchmarks/python.py --library .build-library/librrdata.so
	.build-peers/bin/python Benchmarks/python_loss.py

bench-training: build peers
	.build-peers/bin/python Benchmarks/training.py --rrdata "$$(swift build -c release --show-bin-path)/rrdata"

bench-memory: build peers
	.build-peers/bin/python Benchmarks/memory.py --rrdata "$$(swift build -c release --show-bin-path)/rrdata"

experiments: build peers
	set -e; rrdata="$$(swift build -c release --show-bin-path)/rrdata"; cd Benchmarks/experiments; \
	for experiment in "toy_colors.py" "decoy_fashion.py --network mlp" "annotated_count.py" \
		"decoy_fashion.py --network lenet" "lightning_loops.py" "backgrounds.py" "sweeps.py"; do \
		../../.build-peers/bin/python $$experiment --rrdata "$$rrdata"; \
	done

# Of more than N calls of a kind that a command makes, N are drawn by the seed.
faults: N = 40
faults: build
	python3 Tests/Faults/faults.py --rrdata "$$(swift build -c release --show-bin-path)/rrdata" --sample $(N) --seed $(SEED)

power-cuts: N = 100
power-cuts: build
	python3 Tests/Faults/power_cuts.py --rrdata "$$(swift build -c release --show-bin-path)/rrdata" --cuts $(N) --seed $(SEED)
	python3 Tests/Faults/power_cuts.py --rrdata "$$(swift build -c release --show-bin-path)/rrdata" --cuts $(N) --seed $(SEED) --image

# Half the time through the command line, half within one process.
soak: MINUTES = 60
soak: build
	python3 Tests/Faults/soak.py --rrdata "$$(swift build -c release --show-bin-path)/rrdata" --seed $(SEED) \
		--minutes "$$(awk 'BEGIN { print $(MINUTES) / 2 }')"
	RRDATA_SOAK_MINUTES="$$(awk 'BEGIN { print $(MINUTES) / 2 }')" swift test $(TEST_FLAGS) $(IN_ONE_GO) --filter '^RRStreamingTests\.SoakTests'

# Each sanitizer builds into a folder of its own. Left out are tests of training that meet no threads which the others do not:
# `make sanitize-thread LEFT_OUT=none` runs them too.
sanitize-thread: LEFT_OUT = Trajectory|FindAnotherLoop|Sweep|GuidanceRun|LongerRun|Resume|ForeignWeights|TimmWeights|RunValidator|OptimizerReference|KeyedPermutation|SampleOrder|ResampledChanges
sanitize-thread: export RRDATA_TESTS = RRStreamingTests,RRTrainingTests
# What a sanitizer tells of is on the line that it names.
sanitize-thread sanitize-address: export RRDATA_OPTIMIZED_TESTS = 0
sanitize-thread: dependencies
	swift build --build-tests --sanitize=thread --scratch-path .build-thread $(IN_ONE_GO)
	clang -shared -fPIC -O2 -Wall -Werror -o .build-thread/mutex.so Tests/Sanitizers/mutex.c
	LD_PRELOAD="$(CURDIR)/.build-thread/mutex.so" swift test --skip-build --sanitize=thread --scratch-path .build-thread $(IN_ONE_GO) \
		--filter '^(RRStreamingTests|RRTrainingTests)\.' --skip '($(LEFT_OUT))Tests/'

# Leaks are what `make soak` looks for: Swift's runtime keeps what it knows of types for good. Two tests are left out: one counts
# allocations, which the sanitizer makes itself, one changes a file half a second after a start that takes longer.
sanitize-address: dependencies
	RRDATA_C_FLAGS=-fsanitize=address ASAN_OPTIONS=detect_leaks=0 swift test --sanitize=address --scratch-path .build-address $(IN_ONE_GO) \
		--skip 'StreamCommandTests/(allocations|changedFile)'

# It cannot read what Swift tells debuggers, and so takes the stripped library. What the runtime keeps for good is possibly lost.
valgrind: LEAKS = --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite
valgrind: library
	ln -sf librrdata.so.1 .build-library/libRRInterface.so
	RRDATA_UNDER="env LD_LIBRARY_PATH=$(CURDIR)/.build-library valgrind -q --error-exitcode=99 $(LEAKS)" \
		swift test $(TEST_FLAGS) $(IN_ONE_GO) --filter RRInterfaceTests

fuzz: SECONDS = 60
fuzz: dependencies
	Tests/Fuzzing/fuzz $(SECONDS) $(READERS)

fuzz-commands: N = 2000
fuzz-commands: build
	python3 Tests/Fuzzing/fuzz_commands.py "$$(swift build -c release --show-bin-path)/rrdata" --count $(N) --seed $(SEED) \
		--keep .build-fuzzing/found

flip-bytes: STEP = 1
flip-bytes: build
	python3 Tests/Fuzzing/flip_bytes.py "$$(swift build -c release --show-bin-path)/rrdata" --step $(STEP)

clean:
	rm -rf .build .build-fuzzing .build-thread .build-address .build-peers Benchmarks/.build demo
