# SPDX-License-Identifier: GPL-2.0-only
# The tests of the BPF programs and two recordings on Debian 12's own kernel.
.PHONY: vmtest
vmtest: all bpf-test-build $(APPS)/.built ## run tests on Debian 12's own kernel, emulated (root)
	$(Q)OUTPUT=$(OUTPUT) scripts/vmtest
