# SPDX-License-Identifier: GPL-2.0-only
# Tests of the BPF programs in the running kernel: every tests/bpf/test_*.c is
# one cmocka program.  They need root.
BPFTEST := $(OUTPUT)/bpf-test
BPFTEST_TESTS := $(patsubst tests/bpf/%.c,$(BPFTEST)/%,$(wildcard tests/bpf/test_*.c))
BPFTEST_SHARED := $(patsubst tests/bpf/%.c,$(BPFTEST)/%.o, \
	$(filter-out tests/bpf/test_%.c,$(wildcard tests/bpf/*.c)))
BPFTEST_BUDGET := tests/bpf/verifier_budget.txt

# Frame pointers: the samples of these programs are walked by them.
$(BPFTEST)/%.o: tests/bpf/%.c $(SKELETON)
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -fno-omit-frame-pointer -Wno-unused-parameter \
		-MMD -MP -c $< -o $@

# The hook's own probes, as they are, in a process that is easier to steer.
$(BPFTEST)/probes.o: profiler_hook/probes.c
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -fPIC -fvisibility=hidden \
		-MMD -MP -c $< -o $@

# What arms them, as it is too.
BPFTEST_LOADER := $(filter $(OUTPUT)/user/base/%,$(USER_OBJECTS)) \
	$(patsubst %,$(OUTPUT)/user/%.o,kernel/hook_probes symbol/probe_sites symbol/elf_view)

$(BPFTEST)/test_%: $(BPFTEST)/test_%.o $(BPFTEST_SHARED) $(BPFTEST)/probes.o $(BPFTEST_LOADER)
	$(call msg,LINK,$@)$(CC) $^ $(LIBS) -lcmocka -o $@

.PHONY: bpf-test bpf-test-build bpf-golden
bpf-test-build: $(BPFTEST_TESTS)

bpf-test: bpf-test-build ## test the BPF programs in the running kernel (root)
	@failed=0; for test in $(BPFTEST_TESTS); do \
		echo "# begin $${test##*/}"; TIERSCOPE_BUDGET=$(BPFTEST_BUDGET) $$test 2>&1; \
		code=$$?; echo "# end $${test##*/} $$code"; [ $$code -eq 0 ] || failed=1; \
	done; exit $$failed

bpf-golden: $(BPFTEST)/test_budget ## write the limits for verified instructions anew
	TIERSCOPE_BUDGET=$(BPFTEST_BUDGET) $< --write
