# SPDX-License-Identifier: GPL-2.0-only
# Tests of the hook: its pure parts natively under ASan and UBSan (unit_*.c), the
# library itself in a mock of the runtime (host_*.c), and what it shows to the
# outside as golden files.
HOOKTEST := $(OUTPUT)/hook-test
HOOKTEST_PURE := environment events shape text name signature table memory journal records
HOOKTEST_UNITS := $(patsubst tests/hook/%.c,$(HOOKTEST)/%,$(wildcard tests/hook/unit_*.c))
HOOKTEST_HOSTS := $(patsubst tests/hook/%.c,$(HOOKTEST)/%,$(wildcard tests/hook/host_*.c))
HOOKTEST_MOCK := $(patsubst tests/hook/%.c,$(HOOKTEST)/%.o,$(wildcard tests/hook/mock_*.c))

$(HOOKTEST)/pure/%.o: profiler_hook/%.c
	@mkdir -p $(@D)
	$(call msg,CC-SAN,$@)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(SANITIZE) -MMD -MP -c $< -o $@

$(HOOKTEST)/unit_%.o: tests/hook/unit_%.c
	@mkdir -p $(@D)
	$(call msg,CC-SAN,$@)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(SANITIZE) -MMD -MP -c $< -o $@

$(HOOKTEST)/pure/metadata/%.o: metadata/%.c
	@mkdir -p $(@D)
	$(call msg,CC-SAN,$@)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(SANITIZE) -MMD -MP -c $< -o $@

$(HOOKTEST)/unit_%: $(HOOKTEST)/unit_%.o $(HOOKTEST_PURE:%=$(HOOKTEST)/pure/%.o) $(HOOKTEST)/pure/metadata/signature.o
	$(call msg,LINK,$@)$(CC) $(SANITIZE) $^ -lcmocka -o $@

$(HOOKTEST)/%.o: tests/hook/%.c
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

# The mock loads the real library; it is named, not linked.  The mock's own export is
# found by its name too.
$(HOOKTEST)/host_%: $(HOOKTEST)/host_%.o $(HOOKTEST_MOCK) | $(HOOK)
	$(call msg,LINK,$@)$(CC) -rdynamic $^ -lcmocka -lelf -lpthread -ldl -o $@

.PHONY: hook-test hook-test-build hook-golden
hook-test-build: $(HOOKTEST_UNITS) $(HOOKTEST_HOSTS) $(HOOK)

hook-test: hook-test-build ## test the hook: units, mock runtime, golden files
	@failed=0; for test in $(HOOKTEST_UNITS) $(HOOKTEST_HOSTS); do \
		echo "# begin $${test##*/}"; TIERSCOPE_TEST_HOOK=$(HOOK) $$test 2>&1; code=$$?; \
		echo "# end $${test##*/} $$code"; [ $$code -eq 0 ] || failed=1; \
	done; \
	echo "# begin golden"; tests/hook/golden check $(HOOK); code=$$?; \
	echo "# end golden $$code"; [ $$code -eq 0 ] || failed=1; \
	exit $$failed

hook-golden: $(HOOK) ## write the hook's golden files anew
	tests/hook/golden write $(HOOK)
