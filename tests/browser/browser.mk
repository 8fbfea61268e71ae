# SPDX-License-Identifier: GPL-2.0-only
# The flame graph page in a real browser: see README.md.
BROWSER := $(OUTPUT)/browser
BROWSER_PAGES := $(patsubst %,$(BROWSER)/%.html,demo hostile large empty busy threads waits)
# Only what a page needs, so that these tests do not wait for the whole loader.
BROWSER_OBJECTS := $(patsubst %.c,$(OUTPUT)/%.o,$(wildcard user/base/*.c \
	user/model/*.c user/view/*.c tests/browser/*.c))

$(OUTPUT)/tests/browser/%.o: tests/browser/%.c
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

$(BROWSER)/make_page: $(BROWSER_OBJECTS)
	@mkdir -p $(@D)
	$(call msg,LINK,$@)$(CC) $(CFLAGS_ALL) $(LDFLAGS) $^ -lz -o $@

$(BROWSER)/%.html: $(BROWSER)/make_page
	$(call msg,PAGE,$@)$< $* > $@

.PHONY: browser-pages
browser-pages: $(BROWSER_PAGES)

.PHONY: browser-test
browser-test: $(BROWSER_PAGES) ## open the flame graph page in a headless Chromium
	$(Q)tests/browser/run.sh $(BROWSER)
