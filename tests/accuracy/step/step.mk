# SPDX-License-Identifier: GPL-2.0-only
# What the stepped test in tests/accuracy/test_chains.py runs.
$(APPS)/step/step: tests/accuracy/step/step.c $(wildcard tests/accuracy/step/*.h) \
		$(wildcard bpf/*.h abi/*.h) $(USER_OBJECTS)
	@mkdir -p $(@D)
	$(call msg,LINK,$@)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(filter %.c %.o,$^) $(LIBS) -o $@

accuracy-test: $(APPS)/step/step
