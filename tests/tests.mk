# SPDX-License-Identifier: GPL-2.0-only
# Native unit tests: every tests/unit/test_*.c is one cmocka program, linked
# with the whole loader (but main), under ASan and UBSan.
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
UNIT := $(OUTPUT)/unit
UNIT_OBJECTS := $(patsubst %.c,$(UNIT)/%.o,$(USER_SOURCES))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(UNIT)/%,$(wildcard tests/unit/test_*.c))

$(UNIT)/user/%.o: user/%.c
	@mkdir -p $(@D)
	$(call msg,CC-SAN,$@)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(SANITIZE) -MMD -MP -c $< -o $@

$(UNIT)/user/kernel/%.o: $(SKELETON)

$(UNIT)/libuser.a: $(UNIT_OBJECTS)
	$(call msg,AR,$@)rm -f $@ && ar rcs $@ $^

$(UNIT)/%.o: tests/unit/%.c
	@mkdir -p $(@D)
	$(call msg,CC-SAN,$@)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -Wno-missing-prototypes \
		$(SANITIZE) -MMD -MP -c $< -o $@

$(UNIT)/test_%: $(UNIT)/test_%.o $(UNIT)/libuser.a
	$(call msg,LINK,$@)$(CC) $(SANITIZE) $^ $(LIBS) -lcmocka -o $@

.PHONY: unit-build
unit-build: $(UNIT_TESTS)
