// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What a stack sampler in BPF does without knowing of managed code, as bcc's
// profile does it for one process: bpf_get_stackid for the user stack and a count
// in a hash, keyed by process and stack.  The benchmark's other side.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#define FRAMES_MAX 127

char LICENSE[] SEC("license") = "GPL";

const volatile __u32 target;

struct stack_key {
	__u32 pid;
	__s32 stack;
};

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 16384);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, FRAMES_MAX * sizeof(__u64));
} stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 40960);
	__type(key, struct stack_key);
	__type(value, __u64);
} counts SEC(".maps");

SEC("perf_event")
int on_peer_sample(struct bpf_perf_event_data *ctx)
{
	struct stack_key key = {.pid = bpf_get_current_pid_tgid() >> 32};
	__u64 one = 1, *count;

	if (key.pid != target)
		return 0;
	key.stack = bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK);
	count = bpf_map_lookup_elem(&counts, &key);
	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&counts, &key, &one, BPF_NOEXIST);
	return 0;
}
