# SPDX-License-Identifier: GPL-2.0-only
# Files for other tools, read by those tools' own decoders: see README.md.
FORMATS := $(OUTPUT)/formats
FORMATS_WHAT := plain per-thread perfmap kernel hostile empty
FORMATS_FILES := $(patsubst %,$(FORMATS)/%.pb.gz,$(FORMATS_WHAT)) \
	$(patsubst %,$(FORMATS)/%.speedscope.json,$(FORMATS_WHAT))
# Only what a view needs, so that these tests do not wait for the whole loader.
FORMATS_OBJECTS := $(patsubst %.c,$(OUTPUT)/%.o,$(wildcard user/base/*.c \
	user/model/*.c user/view/*.c tests/formats/*.c))

$(OUTPUT)/tests/formats/%.o: tests/formats/%.c
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

$(FORMATS)/make_profile: $(FORMATS_OBJECTS)
	@mkdir -p $(@D)
	$(call msg,LINK,$@)$(CC) $(CFLAGS_ALL) $(LDFLAGS) $^ -lz -o $@

$(FORMATS)/%.pb.gz: $(FORMATS)/make_profile
	$(call msg,PPROF,$@)$< pprof $* > $@

$(FORMATS)/%.speedscope.json: $(FORMATS)/make_profile
	$(call msg,SPEED,$@)$< speedscope $* > $@

.PHONY: formats-test
formats-test: $(FORMATS_FILES) ## read pprof and speedscope files by those tools' decoders
	$(Q)failed=0; for test in test_pprof.py test_speedscope.sh; do \
		echo "# begin $$test"; tests/formats/$$test $(FORMATS); code=$$?; \
		echo "# end $$test $$code"; [ $$code -eq 0 ] || failed=1; \
	done; exit $$failed
