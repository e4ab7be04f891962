# SPDX-License-Identifier: GPL-2.0
# Sealane. `make deps` once (root, Debian), then `make`; `make demo` and
# `make check` do both themselves.

SL_VERSION ?= 0.1.0
BUILD	?= build
PREFIX	?= /usr/local
DESTDIR	?=
SHARED	?= ../shared

CC	?= gcc
CLANG	?= clang
BPFTOOL	?= bpftool
OPT	?= -O2 -g
V	?= 0
Q	:= $(if $(filter 1,$(V)),,@)

BASE_CFLAGS := -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Iinclude -Ilib \
	-I$(BUILD) -DSL_VERSION='"$(SL_VERSION)"' -MMD -MP
BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g -std=gnu11 -Wall -Wextra -Werror \
	-Iinclude -Ibpf -I/usr/include/$(shell $(CC) -print-multiarch)
LIBS	:= -lbpf -lelf -lz -ljson-c -lcyaml -lyaml -lmaxminddb \
	-lprotobuf-c -lm

LIB_SRC	  := $(wildcard lib/*.c)
AGENT_SRC := $(wildcard agent/*.c)
TOOL_SRC  := $(filter-out tools/cable%,$(wildcard tools/*.c))
CABLE_SRC := $(wildcard tools/cable*.c)
obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

PROGRAMS := $(BUILD)/sealaned $(BUILD)/sealane $(BUILD)/cable

.PHONY: all deps install uninstall demo lab run check vm vm-check verifier bench bench-vm fuzz clean
all: $(PROGRAMS) $(BUILD)/sealane.bpf.o

$(BUILD)/sealaned: $(call obj,$(AGENT_SRC)) $(BUILD)/page/page.o $(BUILD)/libsealane.a
	@echo "  LINK    $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -lmicrohttpd -lsqlite3 -lsystemd -lgnutls -lpthread

$(BUILD)/sealane: $(call obj,$(TOOL_SRC)) $(BUILD)/libsealane.a
	@echo "  LINK    $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -lcurl -lgnutls -lncursesw -ltinfo -lpthread

$(BUILD)/cable: $(call obj,$(CABLE_SRC)) $(BUILD)/libsealane.a
	@echo "  LINK    $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lz -lm

$(BUILD)/libsealane.a: $(call obj,$(LIB_SRC)) $(BUILD)/obj/expose.pb-c.o
	@echo "  AR      $@"
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/obj/%.o: %.c $(BUILD)/sealane.skel.h $(BUILD)/version | $(BUILD)/ready
	@echo "  CC      $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE_CFLAGS) $(OPT) $(CFLAGS) -c -o $@ $<

$(BUILD)/sealane.bpf.o: bpf/sealane.bpf.c $(wildcard bpf/*.h include/sealane/*.h) | $(BUILD)/ready
	@echo "  BPF     $@"
	$(Q)$(CLANG) $(BPF_CFLAGS) -c -o $@.tmp $<
	$(Q)llvm-strip -g $@.tmp && mv $@.tmp $@

$(BUILD)/sealane.skel.h: $(BUILD)/sealane.bpf.o
	@echo "  SKEL    $@"
	$(Q)$(BPFTOOL) gen skeleton $< name sealane_bpf > $@.tmp && mv $@.tmp $@

# What Prometheus takes as protobuf.
$(BUILD)/%.pb-c.c $(BUILD)/%.pb-c.h: lib/%.proto | $(BUILD)/ready
	@echo "  PROTO   $<"
	$(Q)protoc-c --c_out=$(BUILD) -Ilib $<

$(BUILD)/obj/%.pb-c.o: $(BUILD)/%.pb-c.c $(BUILD)/%.pb-c.h
	@echo "  CC      $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE_CFLAGS) $(OPT) $(CFLAGS) -c -o $@ $<

$(call obj,lib/expose_proto.c): $(BUILD)/expose.pb-c.h

# The page at / (docs/page.md): libraries, what is served, an object of it.
$(BUILD)/page/modules: $(addprefix agent/page/,package.json package-lock.json .npmrc) | $(BUILD)/ready
	@echo "  NPM     $@"
	$(Q)BUILD=$(BUILD) agent/page/build.sh modules

$(BUILD)/page/bundle: $(BUILD)/page/modules $(wildcard agent/page/*)
	@echo "  PAGE    $@"
	$(Q)BUILD=$(BUILD) agent/page/build.sh bundle

$(BUILD)/page/page.o: $(BUILD)/page/bundle
	@echo "  EMBED   $@"
	$(Q)BUILD=$(BUILD) agent/page/build.sh object

# Rebuild when the version word changes.
$(BUILD)/version: FORCE | $(BUILD)/ready
	$(Q)echo '$(SL_VERSION)' | cmp -s - $@ || echo '$(SL_VERSION)' > $@
.PHONY: FORCE

# Is everything there that a build needs?
$(BUILD)/ready:
	@mkdir -p $(BUILD)
	@tests/deps.sh --check
	@touch $@

deps:
	$(Q)BUILD=$(BUILD) tests/deps.sh

install: all
	install -D -m 755 $(BUILD)/sealaned $(DESTDIR)$(PREFIX)/sbin/sealaned
	install -D -m 755 $(BUILD)/sealane $(DESTDIR)$(PREFIX)/bin/sealane
	install -D -m 644 docs/man/sealane.1 \
		$(DESTDIR)$(PREFIX)/share/man/man1/sealane.1
	install -D -m 644 docs/man/sealaned.8 \
		$(DESTDIR)$(PREFIX)/share/man/man8/sealaned.8
	install -D -m 644 dist/sealane.yaml.example \
		$(DESTDIR)$(PREFIX)/share/doc/sealane/sealane.yaml.example
	install -D -m 644 dist/rules.yaml.example \
		$(DESTDIR)$(PREFIX)/share/doc/sealane/rules.yaml.example
	install -m 644 dist/exabgp.conf.example dist/gobgpd.conf.example \
		$(DESTDIR)$(PREFIX)/share/doc/sealane
	install -m 644 $(BUILD)/page/out/licences.txt \
		$(DESTDIR)$(PREFIX)/share/doc/sealane/page-licences.txt
	install -d $(DESTDIR)$(PREFIX)/share/doc/sealane/prometheus \
		$(DESTDIR)$(PREFIX)/share/doc/sealane/grafana
	install -m 644 dist/prometheus/* \
		$(DESTDIR)$(PREFIX)/share/doc/sealane/prometheus
	install -m 644 dist/grafana/*.json \
		$(DESTDIR)$(PREFIX)/share/doc/sealane/grafana
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|@PREFIX@|$(PREFIX)|' dist/sealaned.service.in \
		> $(DESTDIR)$(PREFIX)/lib/systemd/system/sealaned.service
	install -m 644 dist/sealaned-http.socket \
		$(DESTDIR)$(PREFIX)/lib/systemd/system

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/sbin/sealaned \
		$(DESTDIR)$(PREFIX)/bin/sealane \
		$(DESTDIR)$(PREFIX)/share/man/man1/sealane.1 \
		$(DESTDIR)$(PREFIX)/share/man/man8/sealaned.8 \
		$(DESTDIR)$(PREFIX)/share/doc/sealane/sealane.yaml.example \
		$(DESTDIR)$(PREFIX)/share/doc/sealane/rules.yaml.example \
		$(DESTDIR)$(PREFIX)/share/doc/sealane/exabgp.conf.example \
		$(DESTDIR)$(PREFIX)/share/doc/sealane/gobgpd.conf.example \
		$(DESTDIR)$(PREFIX)/share/doc/sealane/page-licences.txt \
		$(DESTDIR)$(PREFIX)/lib/systemd/system/sealaned.service \
		$(DESTDIR)$(PREFIX)/lib/systemd/system/sealaned-http.socket
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/sealane/prometheus \
		$(DESTDIR)$(PREFIX)/share/doc/sealane/grafana

# The module's sources for DKMS: dkms add sealane/$(SL_VERSION), and so on.
DKMS_DIR ?= /usr/src/sealane-$(SL_VERSION)
.PHONY: install-dkms uninstall-dkms
install-dkms:
	rm -rf $(DESTDIR)$(DKMS_DIR)
	install -d $(DESTDIR)$(DKMS_DIR)/include
	cp -r Kbuild kmod $(DESTDIR)$(DKMS_DIR)
	cp -r include/sealane $(DESTDIR)$(DKMS_DIR)/include
	sed 's|@VERSION@|$(SL_VERSION)|' dist/dkms.conf.in \
		> $(DESTDIR)$(DKMS_DIR)/dkms.conf

uninstall-dkms:
	rm -rf $(DESTDIR)$(DKMS_DIR)

demo: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)BUILD=$(BUILD) tests/lab/demo.sh

lab: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)BUILD=$(BUILD) tests/lab/lab.sh hold

run: all
	@test -n "$(CONF)" || { echo "usage: make run CONF=/etc/sealane/sealane.yaml" >&2; exit 1; }
	$(BUILD)/sealaned -c $(CONF)

check: deps
	$(Q)$(MAKE) --no-print-directory all vm
	$(Q)BUILD=$(BUILD) SHARED=$(SHARED) tests/run.sh

# --- guests ---
# What runs inside: the fixtures of the loaded program, without sanitizers.
VM_BIN	:= $(BUILD)/vm/bin
# Those that share one load of it are one program.
VM_FIXTURES := $(patsubst tests/bpf/%.c,%,$(shell grep -lE '"(loaded|once|ruled)\.h"' tests/bpf/*.c))
VM_PROGRAMS := $(patsubst tests/vm/%.c,$(VM_BIN)/%,$(wildcard tests/vm/*.c)) \
	$(VM_BIN)/test_live $(VM_BIN)/lookup.bpf.o
VM_LINK = $(CC) $(BASE_CFLAGS) -MF $(BUILD)/obj/vm/$*.d $(OPT) -Itests \
	-Itests/bpf -isystem $(BUILD)/kselftest -o $@ $< $(BUILD)/libsealane.a $(LIBS)

$(BUILD)/obj/vm/%_main.o: tests/bpf/%.c $(wildcard tests/*.h tests/bpf/*.h) | $(BUILD)/ready
	@echo "  CC      $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE_CFLAGS) $(OPT) -Itests -Itests/bpf -isystem \
		$(BUILD)/kselftest -c -o $@.tmp $<
	$(Q)objcopy --redefine-sym main=$*_main $@.tmp && objcopy -G $*_main \
		-G loaded -G loaded_cfg -G loaded_rc $@.tmp $@ && rm $@.tmp

$(VM_BIN)/all_fixtures: tests/vm/all_fixtures.c $(VM_FIXTURES:%=$(BUILD)/obj/vm/%_main.o) $(BUILD)/libsealane.a
	@echo "  LINK    $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE_CFLAGS) -MF $(BUILD)/obj/vm/all_fixtures.d $(OPT) \
		-DFIXTURES='$(foreach f,$(VM_FIXTURES),X($(f)))' -o $@ $^ $(LIBS)

$(VM_BIN)/%: tests/bpf/%.c $(BUILD)/libsealane.a
	@echo "  LINK    $@"
	@mkdir -p $(@D) $(BUILD)/obj/vm
	$(Q)$(VM_LINK)

$(VM_BIN)/%: tests/vm/%.c $(BUILD)/libsealane.a
	@echo "  LINK    $@"
	@mkdir -p $(@D) $(BUILD)/obj/vm
	$(Q)$(VM_LINK)

$(VM_BIN)/%.bpf.o: tests/bench/%.bpf.c $(wildcard bpf/* include/sealane/*.h tests/bench/*.h) | $(BUILD)/ready
	@echo "  BPF     $@"
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -Itests/bench -c -o $@ $<

vm: $(VM_PROGRAMS) kmod-guests
	$(Q)rm -f $(filter-out $(VM_PROGRAMS),$(wildcard $(VM_BIN)/*))

vm-check: deps
	$(Q)$(MAKE) --no-print-directory all vm
	$(Q)BUILD=$(BUILD) SHARED=$(SHARED) tests/vm/test_vm.sh
	$(Q)BUILD=$(BUILD) tests/vm/test_hardware.sh

bench-vm: deps
	$(Q)$(MAKE) --no-print-directory all vm
	$(Q)BUILD=$(BUILD) tests/vm/bench.sh

verifier: deps
	$(Q)$(MAKE) --no-print-directory all $(VM_BIN)/verifier_stats
	$(Q)BUILD=$(BUILD) tests/vm/verifier.sh

# --- bench ---
BENCH	:= $(BUILD)/bench
BENCH_SRC := $(filter-out %.bpf.c,$(wildcard tests/bench/*.c))
$(BENCH)/%.bpf.o: tests/bench/%.bpf.c $(wildcard bpf/* include/sealane/*.h tests/bench/*.h) | $(BUILD)/ready
	@echo "  BPF     $@"
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -Itests/bench -c -o $@ $<

$(BENCH)/bench: $(BENCH_SRC) $(wildcard tests/bench/*.h) $(BUILD)/libsealane.a
	@echo "  LINK    $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE_CFLAGS) $(OPT) -Itests/bench -o $@ \
		$(BENCH_SRC) $(BUILD)/libsealane.a $(LIBS)

bench: deps
	$(Q)$(MAKE) --no-print-directory all $(BENCH)/bench \
		$(BENCH)/bench.bpf.o $(BENCH)/peers.bpf.o
	$(Q)BUILD=$(BUILD) tests/bench/bench.sh

# Longer than `make check` does: make fuzz SECONDS=600
SECONDS ?= 120
fuzz: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)BUILD=$(BUILD) tests/fuzz/run.sh $(SECONDS)

# --- kernel module ---
# build/kmod/RELEASE/sealane.ko, for the kernel whose headers are in KDIR; with
# DEBUG=1 build/kmod-debug/RELEASE/sealane.ko, which tries itself when loaded.
KDIR	?= /lib/modules/$(shell uname -r)/build
KMOD_SRC := Kbuild $(shell find kmod include/sealane -name '*.[ch]' -o -path '*/mk/*')
KMOD	= $(BUILD)/kmod$(if $(DEBUG),-debug)/$(or $(shell sed -n 's/^.define UTS_RELEASE "\(.*\)"/\1/p' \
	$(KDIR)/include/generated/utsrelease.h 2>/dev/null),unknown)

.PHONY: kmod kmod-guests kmod-check vm-check-debug
kmod:
	$(Q)$(MAKE) --no-print-directory $(KMOD)/sealane.ko KDIR=$(KDIR)

$(KMOD)/sealane.ko: $(KMOD_SRC) $(BUILD)/version $(wildcard $(KDIR)/Module.symvers)
	@echo "  KMOD    $@"
	+$(Q)SL_VERSION=$(SL_VERSION) kmod/mk/build.sh $(KDIR) $(@D) \
		$(if $(DEBUG),SL_DEBUG=y)

# For the kernels of the guests. Whatever is wrong with it stops the build.
VM_SERIES ?= 6.1 6.12
VM_HARDWARE ?= 6.12-amd64
kmod-guests:
	$(Q)for series in $(VM_SERIES) $(VM_HARDWARE); do \
		kdir=$$(BUILD=$(BUILD) tests/vm/image.sh headers $$series) && \
		SL_WERROR=y $(MAKE) --no-print-directory kmod KDIR=$$kdir && \
		SL_WERROR=y $(MAKE) --no-print-directory kmod KDIR=$$kdir \
			DEBUG=1 || exit 1; \
	done

# sparse and clang's analyzer on it; part of `make check`
kmod-check: deps
	$(Q)BUILD=$(BUILD) tests/kmod/test_static.sh

# On a kernel with KASAN, lockdep, kmemleak and UBSAN, built for it: some minutes
# the first time, and not part of `make check`.
vm-check-debug: deps
	$(Q)$(MAKE) --no-print-directory all vm
	$(Q)BUILD=$(BUILD) tests/vm/test_debug.sh

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
