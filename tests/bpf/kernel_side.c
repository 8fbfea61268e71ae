// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// See kernel_side.h.
#include "kernel_side.h"

#include "../../user/kernel/caches.h"
#include "../../user/kernel/hook_probes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const char *kernel_side__missing(void)
{
	if (geteuid() != 0)
		return "needs root, to load BPF programs";
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return "this kernel has no type information (/sys/kernel/btf/vmlinux)";
	return NULL;
}

static int keep_record(void *context, void *bytes, size_t size)
{
	struct kernel_side *kernel = context;

	assert_true(size >= sizeof(struct ts_event));
	if (kernel->events_count == kernel->events_capacity) {
		kernel->events_capacity =
			kernel->events_capacity ? 2 * kernel->events_capacity : 64;
		kernel->events =
			realloc(kernel->events,
				kernel->events_capacity * sizeof(*kernel->events));
		assert_non_null(kernel->events);
	}
	kernel->events[kernel->events_count] = malloc(size);
	memcpy(kernel->events[kernel->events_count++], bytes, size);
	return 0;
}

static void set_sizes(struct tierscope *skeleton, const struct sizes *sizes)
{
	uint32_t rows = sizes->rows ? sizes->rows
				    : bpf_map__max_entries(skeleton->maps.bodies);
	__u32 cpus = (__u32)libbpf_num_possible_cpus();

	bpf_map__set_max_entries(skeleton->maps.leaf_counts, rows * TS_EVENTS_MAX);
	skeleton->rodata->events_counted = TS_EVENTS_MAX;
	if (sizes->sample_ring)
		bpf_map__set_max_entries(skeleton->maps.samples, sizes->sample_ring);
	if (sizes->code_ring)
		bpf_map__set_max_entries(skeleton->maps.code_events, sizes->code_ring);
	if (sizes->rows) {
		bpf_map__set_max_entries(skeleton->maps.bodies, sizes->rows);
		skeleton->rodata->rows_max = sizes->rows;
	}
	if (sizes->pages) {
		bpf_map__set_max_entries(skeleton->maps.jit_slots, sizes->pages);
		bpf_map__set_max_entries(skeleton->maps.jit_granules, sizes->pages);
		skeleton->rodata->pages_max = sizes->pages;
	}
	if (sizes->spaces)
		bpf_map__set_max_entries(skeleton->maps.spaces, sizes->spaces);
	skeleton->rodata->kernel_stacks = sizes->kernel_stacks;
	/* One for the sampler, one for the switches, and those of the tracepoints. */
	caches__set_count(skeleton, (2 + TS_EVENTS_MAX) * cpus);
	skeleton->rodata->off_cpu_caches = cpus;
	for (__u32 i = 0; i < TS_EVENTS_MAX; i++) {
		skeleton->rodata->tracepoint_caches[i] = (2 + i) * cpus;
		if (sizes->periods[i])
			skeleton->rodata->tracepoint_periods[i] = sizes->periods[i];
	}
	if (sizes->threads) {
		bpf_map__set_max_entries(skeleton->maps.threads, sizes->threads);
		skeleton->rodata->threads_max = sizes->threads;
	}
	if (sizes->bodies_of_a_space)
		skeleton->rodata->space_bodies_max = sizes->bodies_of_a_space;
}

struct kernel_side *kernel_side__open(const struct sizes *sizes)
{
	static const struct sizes defaults;
	struct kernel_side *kernel = calloc(1, sizeof(*kernel));

	assert_non_null(kernel);
	kernel->skeleton = tierscope__open();
	assert_non_null(kernel->skeleton);
	set_sizes(kernel->skeleton, sizes ? sizes : &defaults);
	hook_probes__configure(kernel->skeleton);
	assert_return_code(tierscope__load(kernel->skeleton), errno);
	kernel->code_ring =
		ring_buffer__new(bpf_map__fd(kernel->skeleton->maps.code_events),
				 keep_record, kernel, NULL);
	kernel->sample_ring = ring_buffer__new(
		bpf_map__fd(kernel->skeleton->maps.samples), keep_record, kernel, NULL);
	assert_non_null(kernel->code_ring);
	assert_non_null(kernel->sample_ring);
	return kernel;
}

void kernel_side__close(struct kernel_side *kernel)
{
	if (!kernel)
		return;
	for (int i = 0; i < kernel->links_count; i++)
		bpf_link__destroy(kernel->links[i]);
	for (int i = 0; i < kernel->probes_count; i++)
		hook_probes__free(kernel->probes[i]);
	ring_buffer__free(kernel->code_ring);
	ring_buffer__free(kernel->sample_ring);
	tierscope__destroy(kernel->skeleton);
	for (size_t i = 0; i < kernel->events_count; i++)
		free(kernel->events[i]);
	free(kernel->events);
	free(kernel);
}

static void keep_link(struct kernel_side *kernel, struct bpf_link *link)
{
	assert_non_null(link);
	assert_true(kernel->links_count < LINKS_MAX);
	kernel->links[kernel->links_count++] = link;
}

void kernel_side__attach_probes(struct kernel_side *kernel, pid_t pid)
{
	struct trouble trouble = {""};
	struct hook_file self = {open("/proc/self/exe", O_RDONLY | O_CLOEXEC), "this program"};

	assert_true(kernel->probes_count < PROBES_MAX);
	if (hook_probes__arm(kernel->skeleton, &self, pid, true,
			     &kernel->probes[kernel->probes_count], &trouble))
		fail_msg("%s", trouble.text);
	close(self.fd);
	kernel->probes_count++;
}

void kernel_side__attach_life(struct kernel_side *kernel)
{
	keep_link(kernel, bpf_program__attach(kernel->skeleton->progs.process_fork));
	keep_link(kernel, bpf_program__attach(kernel->skeleton->progs.process_exec));
	keep_link(kernel, bpf_program__attach(kernel->skeleton->progs.process_exit));
}

void kernel_side__attach_switches(struct kernel_side *kernel)
{
	struct timespec now;

	keep_link(kernel, bpf_program__attach(kernel->skeleton->progs.on_switch));
	keep_link(kernel, bpf_program__attach(kernel->skeleton->progs.on_wakeup));
	keep_link(kernel, bpf_program__attach(kernel->skeleton->progs.on_wakeup_new));
	clock_gettime(CLOCK_MONOTONIC, &now);
	kernel->skeleton->bss->off_cpu_since =
		1000000000ULL * (__u64)now.tv_sec + (__u64)now.tv_nsec;
}

static struct bpf_program *tracepoint_program(const struct kernel_side *kernel, __u32 event)
{
	struct bpf_program *programs[TS_EVENTS_MAX] = {
		kernel->skeleton->progs.on_tracepoint0,
		kernel->skeleton->progs.on_tracepoint1,
		kernel->skeleton->progs.on_tracepoint2,
		kernel->skeleton->progs.on_tracepoint3};

	return programs[event];
}

void kernel_side__attach_tracepoint(struct kernel_side *kernel, __u32 event,
				    const char *name)
{
	keep_link(kernel, bpf_program__attach_raw_tracepoint(
				  tracepoint_program(kernel, event), name));
	kernel->skeleton->bss->tracepoints_on = 1;
}

__u64 kernel_side__missed(const struct kernel_side *kernel, __u32 event)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	assert_return_code(
		bpf_obj_get_info_by_fd(bpf_program__fd(tracepoint_program(kernel, event)),
				       &info, &size),
		errno);
	return info.recursion_misses;
}

void kernel_side__attach_sampler(struct kernel_side *kernel, __u64 period_ns,
				 __u64 event)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(attr),
				       .config = PERF_COUNT_SW_CPU_CLOCK,
				       .sample_period = period_ns,
				       .disabled = 1};
	LIBBPF_OPTS(bpf_perf_event_opts, options, .bpf_cookie = event);

	for (int cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++) {
		int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1,
				      PERF_FLAG_FD_CLOEXEC);

		if (fd < 0 && errno == ENODEV && cpu)
			continue; /* a CPU that is off */
		assert_return_code(fd, errno);
		keep_link(kernel,
			  bpf_program__attach_perf_event_opts(
				  kernel->skeleton->progs.on_sample, fd, &options));
		/* Attaching has enabled it. */
		assert_return_code(ioctl(fd, PERF_EVENT_IOC_DISABLE, 0), errno);
		kernel->perf[kernel->perf_count++] = fd;
	}
}

void kernel_side__sampling(struct kernel_side *kernel, bool on)
{
	for (int i = 0; i < kernel->perf_count; i++)
		assert_return_code(
			ioctl(kernel->perf[i],
			      on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0),
			errno);
}

void kernel_side__drain_code(struct kernel_side *kernel)
{
	assert_true(ring_buffer__consume(kernel->code_ring) >= 0);
}

void kernel_side__drain_samples(struct kernel_side *kernel)
{
	assert_true(ring_buffer__consume(kernel->sample_ring) >= 0);
}

__u64 kernel_side__counted(const struct kernel_side *kernel, __u32 what)
{
	int cpus = libbpf_num_possible_cpus();
	__u64 *values = calloc(cpus > 0 ? (size_t)cpus : 1, sizeof(*values)), sum = 0;

	assert_non_null(values);
	assert_return_code(
		bpf_map_lookup_elem(bpf_map__fd(kernel->skeleton->maps.ledger), &what,
				    values),
		errno);
	for (int cpu = 0; cpu < cpus; cpu++)
		sum += values[cpu];
	free(values);
	return sum;
}

/* --- doors ------------------------------------------------------------------ */

static void run_door(const struct bpf_program *program, void *arguments, __u32 size)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = arguments,
		    .ctx_size_in = size);

	assert_return_code(bpf_prog_test_run_opts(bpf_program__fd(program), &options),
			   errno);
	assert_int_equal(options.retval, 0);
}

__u32 kernel_side__adopt(struct kernel_side *kernel, pid_t pid, __u32 flags)
{
	struct ts_adopt adopt = {.pid = (__u32)pid, .flags = flags};

	run_door(kernel->skeleton->progs.door_adopt, &adopt, sizeof(adopt));
	assert_int_equal(adopt.error, 0);
	return adopt.number;
}

void kernel_side__map_native(struct kernel_side *kernel, __u32 space, pid_t pid)
{
	struct ts_slot slot = {.image = TS_SLOT_NATIVE};
	struct ts_address_key key = {.space = space};
	unsigned long start, end;
	char path[64], line[512], executable;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %*c%*c%c", &start, &end, &executable) != 3 ||
		    executable != 'x')
			continue;
		for (key.number = start >> TS_SLOT_SHIFT;
		     key.number <= (end - 1) >> TS_SLOT_SHIFT; key.number++)
			assert_return_code(
				bpf_map_update_elem(
					bpf_map__fd(kernel->skeleton->maps.slots), &key,
					&slot, BPF_ANY),
				errno);
	}
	fclose(maps);
}

const struct ts_finish *kernel_side__finish(struct kernel_side *kernel,
					    const struct ts_sample *sample)
{
	static struct ts_finish result;
	const char *code =
		(const char *)&sample->frames[sample->frames_count + sample->kernel_count];
	const struct ts_stack_piece *piece;
	int fd = bpf_map__fd(kernel->skeleton->maps.finishing);
	__u32 zero = 0;

	assert_true(sample->flags & TS_SAMPLE_STACK);
	memset(&result, 0, sizeof(result));
	if (sample->flags & TS_SAMPLE_CODE) {
		memcpy(result.code, code, TS_CODE_BYTES);
		result.code_bytes = TS_CODE_BYTES;
		code += TS_CODE_BYTES;
	}
	piece = (const struct ts_stack_piece *)code;
	assert_true(piece->bytes <= TS_STACK_PIECE_MAX);
	assert_int_equal(code + sizeof(*piece) + piece->bytes - (const char *)sample,
			 sample->header.size);
	result.space = sample->header.space;
	result.event = sample->event;
	result.first = sample->frames_count - 1u;
	result.ip = piece->ip;
	result.sp = piece->sp;
	result.bp = piece->bp;
	result.r10 = piece->r10;
	result.rbx = piece->rbx;
	result.bytes = piece->bytes;
	memcpy(result.stack, piece->stack, piece->bytes);
	assert_return_code(bpf_map_update_elem(fd, &zero, &result, BPF_ANY), errno);
	run_door(kernel->skeleton->progs.door_finish, NULL, 0);
	assert_return_code(bpf_map_lookup_elem(fd, &zero, &result), errno);
	return &result;
}

struct ts_insert kernel_side__insert(struct kernel_side *kernel, __u32 space, pid_t pid,
				     const struct ts_journal_record *record)
{
	struct ts_insert insert = {
		.space = space, .pid = (__u32)pid, .record = *record};

	run_door(kernel->skeleton->progs.door_insert, &insert, sizeof(insert));
	return insert;
}

int kernel_side__remove(struct kernel_side *kernel, __u32 space, __u64 start,
			bool whole_page)
{
	struct ts_remove gone = {
		.space = space, .start = start, .whole_page = whole_page};

	run_door(kernel->skeleton->progs.door_remove, &gone, sizeof(gone));
	return gone.error;
}

struct ts_find kernel_side__find(struct kernel_side *kernel, __u32 space, __u64 address)
{
	struct ts_find find = {.space = space, .address = address};

	run_door(kernel->skeleton->progs.door_find, &find, sizeof(find));
	return find;
}

/* --- the child ------------------------------------------------------------------ */

void child__start(struct child *child, void (*work)(int number))
{
	int commands[2], answers[2];
	pid_t parent = getpid();

	assert_return_code(pipe(commands), errno);
	assert_return_code(pipe(answers), errno);
	child->pid = fork();
	assert_return_code(child->pid, errno);
	if (!child->pid) {
		int number;

		/* Does not outlive a test that failed. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		close(commands[1]);
		close(answers[0]);
		while (read(commands[0], &number, sizeof(number)) == sizeof(number)) {
			work(number);
			if (write(answers[1], &number, sizeof(number)) !=
			    sizeof(number))
				_exit(1);
		}
		_exit(0);
	}
	close(commands[0]);
	close(answers[1]);
	child->command = commands[1];
	child->answer = answers[0];
}

void child__tell(struct child *child, int number)
{
	assert_int_equal(write(child->command, &number, sizeof(number)),
			 sizeof(number));
}

void child__do(struct child *child, int number)
{
	int answer;

	child__tell(child, number);
	assert_int_equal(read(child->answer, &answer, sizeof(answer)), sizeof(answer));
	assert_int_equal(answer, number);
}

int child__end(struct child *child)
{
	int status, unread;

	close(child->command);
	/* A test that failed may have left an answer behind. */
	while (read(child->answer, &unread, sizeof(unread)) > 0)
		;
	close(child->answer);
	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	return status;
}
