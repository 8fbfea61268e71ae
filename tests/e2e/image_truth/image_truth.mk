# SPDX-License-Identifier: GPL-2.0-only
# What tests/e2e/test_image.py runs.
IMAGE_TRUTH_SOURCES := $(wildcard tests/e2e/image_truth/*.cs tests/e2e/image_truth/*.csproj tests/apps/*.props)
IMAGE_TABLE_OBJECTS := $(patsubst %.c,$(OUTPUT)/%.o,$(wildcard user/image/*.c metadata/*.c) \
	$(wildcard user/base/*.c))

$(APPS)/image_truth/image_truth.dll: $(IMAGE_TRUTH_SOURCES)
	@mkdir -p $(@D)
	$(call msg,DOTNET,$@)$(DOTNET_BUILD) tests/e2e/image_truth/image_truth.csproj > $(@D)/build.log 2>&1 || \
		{ cat $(@D)/build.log; exit 1; }
	@touch $@

$(APPS)/image_truth/image_table: tests/e2e/image_truth/image_table.c $(IMAGE_TABLE_OBJECTS)
	@mkdir -p $(@D)
	$(call msg,LINK,$@)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $^ -o $@

truth: $(APPS)/image_truth/image_truth.dll $(APPS)/image_truth/image_table
