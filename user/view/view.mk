# SPDX-License-Identifier: GPL-2.0-only
# The flame graph page, embedded into the loader.  The order of the scripts is
# the order in which they stand on the page.
VIEW_HTML := user/view/html
VIEW_PARTS := $(VIEW_HTML)/page.html $(VIEW_HTML)/style.css \
	$(patsubst %,$(VIEW_HTML)/%.js,data format tree draw strip panel table header \
		controls page)
VIEW_ASSETS := $(OUTPUT)/view_assets.h

$(VIEW_ASSETS): $(VIEW_HTML)/embed.sh $(VIEW_PARTS)
	@mkdir -p $(@D)
	$(call msg,EMBED,$@)$(VIEW_HTML)/embed.sh $(VIEW_PARTS) > $@

$(OUTPUT)/user/view/view_html.o $(OUTPUT)/unit/user/view/view_html.o: $(VIEW_ASSETS)
