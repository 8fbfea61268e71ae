# SPDX-License-Identifier: GPL-2.0-only
# Native unit tests: every tests/unit/test_*.c is one cmocka program, linked
# with the whole loader (but main), under ASan and UBSan.
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
UNIT := $(OUTPUT)/unit
UNIT_OBJECTS := $(patsubst %.c,$(UNIT)/%.o,$(USER_SOURCES))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(UNIT)/%,$(wildcard tests/unit/test_*.c))

COMPILE_UNIT = $(call msg,CC-SAN,$@)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(SANITIZE) -MMD -MP -c $< -o $@

$(UNIT)/user/%.o: user/%.c
	@mkdir -p $(@D)
	$(COMPILE_UNIT)

$(SHARED_SOURCES:%.c=$(UNIT)/%.o): $(UNIT)/%.o: %.c
	@mkdir -p $(@D)
	$(COMPILE_UNIT)

$(filter $(UNIT)/user/kernel/%,$(UNIT_OBJECTS)): $(SKELETON)

$(UNIT)/libuser.a: $(UNIT_OBJECTS)
	$(call msg,AR,$@)rm -f $@ && ar rcs $@ $^

$(UNIT)/%.o: tests/unit/%.c
	@mkdir -p $(@D)
	$(call msg,CC-SAN,$@)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -Wno-missing-prototypes \
		$(SANITIZE) -MMD -MP -c $< -o $@

$(UNIT)/test_%: $(UNIT)/test_%.o $(UNIT)/libuser.a
	$(call msg,LINK,$@)$(CC) $(SANITIZE) $^ $(LIBS) $(LIBS_OF_TEST) -lcmocka -o $@

# The other reader of unwind tables.
$(UNIT)/test_unwind_real: LIBS_OF_TEST := -ldw

.PHONY: unit-build
unit-build: $(UNIT_TESTS)

# One program after the other; scripts/run-layers reads the begin and end lines.
.PHONY: unit
unit: unit-build ## run the unit tests
	@failed=0; for test in $(UNIT_TESTS); do \
		echo "# begin $${test##*/}"; $$test 2>&1; code=$$?; \
		echo "# end $${test##*/} $$code"; [ $$code -eq 0 ] || failed=1; \
	done; exit $$failed

.PHONY: unit-frames
unit-frames: $(UNIT)/test_top_frame ## write the golden frames of `top` anew
	TIERSCOPE_FRAMES=write $<

# The other layers, each with its own rules.
-include tests/hook/hook.mk tests/bpf/bpf.mk tests/e2e/e2e.mk tests/browser/browser.mk
-include tests/formats/formats.mk
-include tests/fault/fault.mk tests/bench/bench.mk tests/vm/vm.mk

.PHONY: demo
demo: ## build the demo program
	@mkdir -p $(APPS)
	$(call msg,DOTNET,$@)$(DOTNET_BUILD) tests/apps/demo/demo.csproj > $(APPS)/demo.log 2>&1 || \
		{ cat $(APPS)/demo.log; exit 1; }

.PHONY: test
test: all ## run every test and count; LAYERS="unit:900 ..." for some of them
	$(Q)OUTPUT=$(OUTPUT) V=$(V) scripts/run-layers $(LAYERS)

# The same sources and warnings under the other compiler.
.PHONY: lint
lint: ## build with clang too, into an own folder; check the scripts if shellcheck is there
	$(Q)$(MAKE) --no-print-directory CC=$(CLANG) OUTPUT=$(OUTPUT)-clang all
	$(Q)if command -v shellcheck >/dev/null; then \
		shellcheck $$(grep -lE '^#!.*\b(ba)?sh$$' scripts/* .ci/*); \
	else echo "shellcheck is not installed: the scripts were not checked"; fi

FORMATTED = $(shell git ls-files '*.c' '*.h' | grep -v '^vmlinux/')
.PHONY: format format-check
format: ## reformat every C file (clang-format 14)
	$(Q)clang-format -i $(FORMATTED)

format-check: ## say which C files `make format` would change
	$(Q)clang-format --dry-run -Werror $(FORMATTED)
