# SPDX-License-Identifier: GPL-2.0-only
# The .NET test programs, and the tests of the finished command.
APPS := $(OUTPUT)/apps
APP_SOURCES := $(wildcard tests/apps/*/*.cs tests/apps/*/*.csproj tests/apps/*.props tests/apps/*.slnx)
TRUTH_SOURCES := $(wildcard tests/e2e/truth/*.cs tests/e2e/truth/*.csproj tests/apps/*.props)
# A solution is built as Debug if not told otherwise.  Neither a build server
# nor a waiting MSBuild node is left behind.
DOTNET_BUILD_TO := dotnet build -c Release -v quiet --nologo -nodeReuse:false -p:AppsOutput=
DOTNET_BUILD := $(DOTNET_BUILD_TO)$(abspath $(APPS))

$(APPS)/.built: $(APP_SOURCES)
	@mkdir -p $(@D)
	$(call msg,DOTNET,$@)$(DOTNET_BUILD) tests/apps/apps.slnx > $(@D)/build.log 2>&1 || \
		{ cat $(@D)/build.log; exit 1; }
	@touch $@

# What `below native` calls: without frame pointers, and calls stay calls.
BELOW_NATIVE := $(APPS)/below/libbelow_native.so
$(BELOW_NATIVE): tests/apps/below/below_native.c $(APPS)/.built
	$(call msg,CC,$@)$(CC) -std=gnu17 $(WARNINGS) -O2 -g -fomit-frame-pointer -fno-optimize-sibling-calls \
		-fPIC -shared $< -o $@

# The demo, rejit and web with a runtime of their own, of a pinned version, from NuGet.
# Where that cannot be had for want of a network, "unreachable" says so to the tests.
ON_RUNTIMES := demo rejit web
RUNTIME_8 := 8.0.31
RUNTIME_9 := 9.0.20

$(APPS)/net%.0/.built: $(wildcard $(foreach app,$(ON_RUNTIMES),tests/apps/$(app)*/*.cs*) tests/apps/shares/ThreadClock.cs tests/apps/*.props)
	@mkdir -p $(@D) && rm -f $(@D)/unreachable
	$(call msg,DOTNET,$@)(for app in $(ON_RUNTIMES); do \
		$(DOTNET_BUILD_TO)$(abspath $(@D)) -r linux-x64 --self-contained -p:AppsFramework=net$*.0 \
		-p:RuntimeFrameworkVersion=$(RUNTIME_$*) tests/apps/$$app/$$app.csproj || exit 1; done) > $(@D)/build.log 2>&1 || \
		{ grep -q 'error NU1301' $(@D)/build.log && touch $(@D)/unreachable; } || \
		{ cat $(@D)/build.log; exit 1; }
	@test -e $(@D)/unreachable || touch $@

# The demo as one file, as one compressed file, and with all its precompiled code in one
# composite image.  The plugin is loaded from beside it.  And chains, precompiled in parts;
# and rejit, precompiled, with its library by itself or together.
PUBLISH_single-file := -p:PublishSingleFile=true --self-contained
PUBLISH_compressed := -p:PublishSingleFile=true -p:EnableCompressionInSingleFile=true --self-contained
PUBLISH_composite := -p:PublishReadyToRun=true -p:PublishReadyToRunComposite=true --self-contained
PUBLISH_hot-cold := -p:PublishReadyToRun=true -p:PublishReadyToRunCrossgen2ExtraArgs=--hot-cold-splitting --no-self-contained
PUBLISH_precompiled := -p:PublishReadyToRun=true --no-self-contained
PUBLISH_together := -p:PublishReadyToRun=true -p:PublishReadyToRunComposite=true --no-self-contained
PUBLISHED := $(patsubst %,$(APPS)/%/.built,single-file compressed composite hot-cold precompiled together)
published_app = $(if $(filter hot-cold,$(1)),chains,$(if $(filter precompiled together,$(1)),rejit,demo))

$(PUBLISHED): $(APPS)/%/.built: $(wildcard tests/apps/demo/*.cs* tests/apps/demo-plugin/*.cs* tests/apps/chains/*.cs* \
		tests/apps/rejit*/*.cs* tests/apps/shares/ThreadClock.cs tests/apps/*.props)
	@mkdir -p $(@D) && rm -f $(@D)/unreachable
	$(call msg,DOTNET,$@)app=$(call published_app,$*); dotnet publish -v quiet --nologo -nodeReuse:false -r linux-x64 \
		-p:AppsOutput=$(abspath $(@D))/build -o $(abspath $(@D))/$$app $(PUBLISH_$*) \
		tests/apps/$$app/$$app.csproj > $(@D)/build.log 2>&1 && \
		{ test $$app != demo || cp -r $(@D)/build/demo/plugin $(@D)/demo/; } && rm -rf $(@D)/build || \
		{ grep -q 'error NU1301' $(@D)/build.log && touch $(@D)/unreachable; } || \
		{ cat $(@D)/build.log; exit 1; }
	@test -e $(@D)/unreachable || touch $@

.PHONY: runtimes published
runtimes: $(APPS)/net8.0/.built $(APPS)/net9.0/.built ## build programs for the older runtimes
published: $(PUBLISHED) ## build the demo in the forms that applications are shipped in

# About two seconds of compilation; the long one can be attached to.
$(APPS)/csc/compile: tests/apps/csc/generate
	$(call msg,GEN,$@)$< $(@D)

$(APPS)/csc-long/compile: tests/apps/csc/generate
	$(call msg,GEN,$@)$< $(@D) 1000

# The independent source of truth is the one program with NuGet packages.
$(APPS)/truth/truth.dll: $(TRUTH_SOURCES)
	@mkdir -p $(@D)
	$(call msg,DOTNET,$@)$(DOTNET_BUILD) tests/e2e/truth/truth.csproj > $(@D)/build.log 2>&1 || \
		{ cat $(@D)/build.log; exit 1; }
	@touch $@

.PHONY: apps
apps: $(APPS)/.built $(BELOW_NATIVE) $(APPS)/csc/compile $(APPS)/csc-long/compile ## build the .NET test programs

.PHONY: truth
truth: $(APPS)/truth/truth.dll ## build the reader of the runtime's own event stream

# The profiler that the rejit program is loaded with.
REJIT_PROFILER := $(APPS)/rejit_profiler.so
$(REJIT_PROFILER): $(wildcard tests/rejit/*.[ch]) profiler_hook/corprof.h profiler_hook/com.h $(wildcard abi/*.h)
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -fPIC -shared -pthread $(filter %.c,$^) -o $@

# The runtime team's own tool, from NuGet, to be recorded beside.
TOOLS := $(OUTPUT)/tools
TRACE_VERSION := 10.0.750501
$(TOOLS)/.installed:
	@mkdir -p $(@D) && rm -f $(@D)/unreachable
	$(call msg,NUGET,$@)dotnet tool update --tool-path $(@D) dotnet-trace --version $(TRACE_VERSION) > $(@D)/install.log 2>&1 || \
		{ grep -q 'NU1301' $(@D)/install.log && touch $(@D)/unreachable; } || \
		{ cat $(@D)/install.log; exit 1; }
	@test -e $(@D)/unreachable || touch $@

# Many of these are lighter than one .NET program.
$(OUTPUT)/fake_runtime: tests/e2e/fake_runtime.c $(wildcard abi/*.h)
	$(call msg,CC,$@)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $< -ldl -o $@

PROGRAMS = apps runtimes published truth $(REJIT_PROFILER) $(TOOLS)/.installed $(OUTPUT)/fake_runtime
.PHONY: programs
programs: $(PROGRAMS) ## build all that the end-to-end tests record, and what they record beside

# Two files at a time take three fifths of the time that they take one by one.
E2E_JOBS ?= 2

.PHONY: e2e-test
e2e-test: all $(PROGRAMS) ## run the end-to-end tests (as root)
	$(Q)OUTPUT=$(abspath $(OUTPUT)) tests/e2e/run -j $(E2E_JOBS)

.PHONY: accuracy-test
accuracy-test: all apps published $(REJIT_PROFILER) ## run the accuracy tests (as root)
	$(Q)OUTPUT=$(abspath $(OUTPUT)) tests/e2e/run tests/accuracy

.PHONY: accuracy
accuracy: all apps $(REJIT_PROFILER) $(TOOLS)/.installed ## measure how right shares per code version are (as root); ACCURACY_RUNS="100 10"
	$(Q)OUTPUT=$(abspath $(OUTPUT)) tests/accuracy/protocol $(ACCURACY_RUNS)

-include tests/e2e/image_truth/image_truth.mk
-include tests/accuracy/step/step.mk
