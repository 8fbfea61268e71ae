# SPDX-License-Identifier: GPL-2.0-only
# What recording costs; measured, never asserted.
BENCH := $(OUTPUT)/bench
BENCH_PROGRAMS := $(BENCH)/sampling $(BENCH)/lookup $(BENCH)/switches

$(BENCH)/%.bpf.o: tests/bench/bpf/%.bpf.c $(wildcard bpf/*.h abi/*.h tests/bench/bpf/*.h vmlinux/*.h)
	@mkdir -p $(@D)
	$(call msg,BPF,$@)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(BENCH)/%.skel.h: $(BENCH)/%.bpf.o
	$(call msg,SKEL,$@)$(BPFTOOL) gen skeleton $< name $* > $@

$(BENCH)/sampling: $(BENCH)/peer.skel.h
$(BENCH)/lookup: $(BENCH)/lookup.skel.h
$(BENCH)/switches: $(BENCH)/empty.skel.h
$(BENCH_PROGRAMS): $(BENCH)/%: tests/bench/bpf/%.c $(wildcard abi/*.h tests/bench/bpf/*.h)
	$(call msg,CC,$@)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -I$(BENCH) $< $(LIBS) -o $@

# A made-up recording, through the loader's own model and writer.
$(BENCH)/make_large: tests/bench/make_large.c $(filter \
		$(OUTPUT)/user/base/% $(OUTPUT)/user/model/% $(OUTPUT)/user/recording/%,$(USER_OBJECTS))
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $^ $(LIBS) -o $@

.PHONY: bench bench-bpf
bench: all apps published $(TOOLS)/.installed $(BENCH_PROGRAMS) $(BENCH)/make_large ## measure costs (as root); BENCH_ONLY=csc,hello BENCH_PAIRS=20 BENCH_WRITE=1
	$(Q)OUTPUT=$(abspath $(OUTPUT)) tests/bench/bench

bench-bpf: all apps $(BENCH_PROGRAMS) ## measure the BPF programs alone, and print (as root)
	$(Q)OUTPUT=$(abspath $(OUTPUT)) PYTHONDONTWRITEBYTECODE=1 tests/bench/bpf/of_bpf.py
