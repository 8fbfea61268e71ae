# SPDX-License-Identifier: GPL-2.0-only
# What recording costs; measured, never asserted.
.PHONY: bench
bench: all apps ## measure what recording costs (as root); BENCH_PAIRS=10, BENCH_WRITE=1
	$(Q)OUTPUT=$(abspath $(OUTPUT)) tests/bench/bench
