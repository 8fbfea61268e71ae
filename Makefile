# SPDX-License-Identifier: GPL-2.0-only
# tierscope: `make help` lists the targets.  V=1 shows the commands.
OUTPUT ?= .output
CC ?= gcc
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
VERSION := 0.1.0

ifeq ($(V),1)
Q =
msg =
else
Q = @
msg = @printf '  %-8s %s\n' "$(1)" "$(patsubst $(OUTPUT)/%,%,$(2))";
endif

.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all

ARCH_INCLUDES := $(shell $(CLANG) -print-multiarch 2>/dev/null || gcc -print-multiarch)
WARNINGS := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes \
	-Wshadow -Wundef -Wpointer-arith -Wvla
CPPFLAGS_ALL = -D_GNU_SOURCE -DTIERSCOPE_VERSION='"$(VERSION)"' \
	-DTIERSCOPE_LIBDIR='"$(LIBDIR)/tierscope"' -I$(OUTPUT)
CFLAGS ?= -O2 -g
CFLAGS_ALL = -std=gnu17 $(WARNINGS) $(CFLAGS)
# Linked libraries are told one by one in docs/DEPENDENCIES.md.
LIBS = -lbpf -lelf -lz -llzma -lmicrohttpd -lncursesw -ltinfo -lpthread

HOOK := $(OUTPUT)/libtierscope_hook.so
LOADER := $(OUTPUT)/tierscope
BPF_OBJECT := $(OUTPUT)/tierscope.bpf.o
SKELETON := $(OUTPUT)/tierscope.skel.h

# What loader and hook share, and each compiles for itself.
SHARED_SOURCES := $(wildcard publication/*.c metadata/*.c)
USER_SOURCES := $(filter-out user/cli/main.c,$(wildcard user/*/*.c)) $(SHARED_SOURCES)
USER_OBJECTS := $(patsubst %.c,$(OUTPUT)/%.o,$(USER_SOURCES))
HOOK_SOURCES := $(wildcard profiler_hook/*.c)
HOOK_OBJECTS := $(patsubst %.c,$(OUTPUT)/%.o,$(HOOK_SOURCES)) \
	$(patsubst %.c,$(OUTPUT)/profiler_hook/%.o,$(SHARED_SOURCES))
# What the flame graph page adds to the loader.
-include user/view/view.mk

.PHONY: all
all: $(LOADER) $(HOOK) ## build the loader, the hook and the BPF programs

# --- BPF ---------------------------------------------------------------
# -idirafter: asm/errno.h lies in the multiarch folder on Debian.
# -mcpu=v3: atomic fetch-and-add, in every kernel since 5.12.
BPF_CFLAGS := -g -O2 -std=gnu17 -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -Wall -Wextra -Werror \
	-Wno-unused-function -Wno-unused-parameter -Wno-missing-field-initializers \
	-Ivmlinux -idirafter /usr/include/$(ARCH_INCLUDES) -idirafter /usr/include

$(OUTPUT)/bpf/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*.h abi/*.h vmlinux/*.h)
	@mkdir -p $(@D)
	$(call msg,BPF,$@)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(BPF_OBJECT): $(patsubst bpf/%.c,$(OUTPUT)/bpf/%.o,$(wildcard bpf/*.bpf.c))
	$(call msg,GEN-OBJ,$@)$(BPFTOOL) gen object $@ $^

$(SKELETON): $(BPF_OBJECT)
	$(call msg,SKEL,$@)$(BPFTOOL) gen skeleton $< name tierscope > $@

# --- loader -------------------------------------------------------------
COMPILE_USER = $(call msg,CC,$@)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

$(OUTPUT)/user/%.o: user/%.c
	@mkdir -p $(@D)
	$(COMPILE_USER)

$(SHARED_SOURCES:%.c=$(OUTPUT)/%.o): $(OUTPUT)/%.o: %.c
	@mkdir -p $(@D)
	$(COMPILE_USER)

$(filter $(OUTPUT)/user/kernel/%,$(USER_OBJECTS)): $(SKELETON)

$(LOADER): $(OUTPUT)/user/cli/main.o $(USER_OBJECTS)
	$(call msg,LINK,$@)$(CC) $(CFLAGS_ALL) $(LDFLAGS) $^ $(LIBS) -o $@

# --- hook ---------------------------------------------------------------
# By their old names: with a glibc before 2.34 threads.h is about these two.
HOOK_LIBS := -Wl,--push-state,--no-as-needed -l:libpthread.so.0 -l:libdl.so.2 -Wl,--pop-state

# No libc symbol newer than GLIBC_2.17 and no stack protector: see
# profiler_hook/README.md.
COMPILE_HOOK = $(call msg,CC,$@)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -fPIC -fvisibility=hidden \
	-fno-stack-protector -fno-omit-frame-pointer -MMD -MP -c $< -o $@

$(OUTPUT)/profiler_hook/%.o: profiler_hook/%.c
	@mkdir -p $(@D)
	$(COMPILE_HOOK)

$(SHARED_SOURCES:%.c=$(OUTPUT)/profiler_hook/%.o): $(OUTPUT)/profiler_hook/%.o: %.c
	@mkdir -p $(@D)
	$(COMPILE_HOOK)

$(HOOK): $(HOOK_OBJECTS)
	$(call msg,LINK,$@)$(CC) -shared $(CFLAGS_ALL) -Wl,-z,defs -Wl,-z,now \
		-Wl,--build-id -Wl,-soname,$(@F) $^ $(HOOK_LIBS) -o $@

-include tests/tests.mk
-include $(shell find $(OUTPUT) -name '*.d' 2>/dev/null)

# The loader looks for the hook in LIBDIR: another one compiles that file again.
.PHONY: FORCE
$(OUTPUT)/libdir: FORCE
	@mkdir -p $(@D)
	@echo '$(LIBDIR)' | cmp -s - $@ || echo '$(LIBDIR)' > $@
$(OUTPUT)/user/target/hook_find.o: $(OUTPUT)/libdir

.PHONY: install
install: all ## install into $(PREFIX), DESTDIR honoured
	install -D -m 755 $(LOADER) $(DESTDIR)$(PREFIX)/bin/tierscope
	install -D -m 755 $(HOOK) $(DESTDIR)$(LIBDIR)/tierscope/libtierscope_hook.so

.PHONY: vmlinux-full
vmlinux-full: ## dump every kernel type from this machine's BTF, for exploring
	@mkdir -p $(OUTPUT)
	$(BPFTOOL) btf dump file /sys/kernel/btf/vmlinux format c > $(OUTPUT)/vmlinux.h

.PHONY: clean
clean: ## remove everything that was built
	rm -rf $(OUTPUT)

.PHONY: help
help: ## this list
	@grep -hE '^[a-z][a-z0-9-]*:.*##' $(MAKEFILE_LIST) | \
		sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | sort | expand -t 16
