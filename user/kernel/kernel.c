// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Opens, configures, loads and attaches the kernel side, in that order, and
// takes it down again.  Nothing of it outlives the program: every link and
// map goes with its descriptor, also when the program is killed.
#include "internal.h"

#include "caches.h"
#include "hook_probes.h"
#include "sampling.h"
#include "../base/alloc.h"
#include "../base/log.h"
#include "tierscope.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Each look costs, cold as the caches are. */
#define LOOK_MS	      250
#define LOOK_OFTEN_MS 100
/* 2,000 bodies: what one CPU can compile between two looks. */
#define CODE_RING_PER_CPU (1u << 20)
#define COUNTED_HZ    2000
#define OFF_CPU_HZ    1000	/* what bpf/threads.bpf.h allows */

static int print_libbpf(enum libbpf_print_level level, const char *format, va_list arguments)
{
	char line[1024];
	int size = vsnprintf(line, sizeof(line), format, arguments);

	if (size > 0 && line[strlen(line) - 1] == '\n')
		line[strlen(line) - 1] = 0;
	if (level == LIBBPF_WARN)
		log__verbose("%s", line);
	else
		log__debug("%s", line);
	return 0;
}

int kernel__look_ms(const struct kernel *kernel)
{
	return kernel->look_ms;
}

/* A ring's size has to be a power of two and whole pages. */
static uint32_t ring_size(uint64_t wanted)
{
	uint32_t size = 256 << 10;

	while (size < wanted && size < 64u << 20)
		size *= 2;
	return size;
}

/* On each CPU; of counted events nobody knows, so this is a guess. */
static uint64_t samples_per_second(const struct kernel_options *options)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < options->events_count; i++) {
		const struct kernel_event *event = &options->events[i];

		if (event->period)
			sum += COUNTED_HZ;
		else
			sum += event->frequency ? event->frequency : options->frequency;
	}
	return sum + (options->off_cpu ? OFF_CPU_HZ : 0);
}

static void configure(struct kernel *kernel, const struct kernel_options *options)
{
	struct tierscope *skeleton = kernel->skeleton;
	/* A second of deep stacks; the loader drains four times as often, or ten times
	 * where the ring cannot be that large. */
	uint64_t samples = 1100 * samples_per_second(options) * kernel->cpus;
	uint32_t sample_ring = options->sample_ring_bytes ?
			       options->sample_ring_bytes : ring_size(samples);
	uint32_t code_ring = options->code_ring_bytes ?
			     options->code_ring_bytes :
			     ring_size((uint64_t)CODE_RING_PER_CPU * kernel->cpus);

	kernel->look_ms = samples <= sample_ring ? LOOK_MS : LOOK_OFTEN_MS;
	bpf_map__set_max_entries(skeleton->maps.samples, sample_ring);
	/* A cache for each that can interrupt the others: sampler, switches, tracepoints. */
	caches__set_count(skeleton,
		(1 + options->off_cpu + tracepoints__count(options)) * kernel->cpus);
	bpf_map__set_max_entries(skeleton->maps.code_events, code_ring);
	skeleton->rodata->code_ring_much = code_ring / 2;
	skeleton->rodata->kernel_stacks = options->kernel_stacks;
	off_cpu__configure(kernel, options);
	tracepoints__configure(kernel, options);
	kernel->rows_max = bpf_map__max_entries(skeleton->maps.bodies);
	if (options->events_count) {
		skeleton->rodata->events_counted = options->events_count;
		bpf_map__set_max_entries(skeleton->maps.leaf_counts,
			(uint32_t)(kernel->rows_max * options->events_count));
	}
}

/* What a failed load means to a person. */
static int load_trouble(int err, struct trouble *trouble)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return trouble__set(trouble, -EOPNOTSUPP,
			"this kernel has no type information (/sys/kernel/btf/vmlinux); use one built with CONFIG_DEBUG_INFO_BTF, as Debian's are");
	if (err == -EPERM || err == -EACCES)
		return trouble__set(trouble, -EPERM,
			"not allowed to load BPF programs; run as root or with CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN");
	return trouble__set(trouble, -EOPNOTSUPP,
		"this kernel refused the BPF programs (%s); tierscope needs Linux 6.1 or newer, -vv shows why",
		strerror(-err));
}

static int map_rows(struct kernel *kernel)
{
	void *rows = mmap(NULL, kernel->rows_max * sizeof(struct ts_body_row), PROT_READ,
			  MAP_SHARED, bpf_map__fd(kernel->skeleton->maps.bodies), 0);

	if (rows == MAP_FAILED)
		return -errno;
	kernel->rows = rows;
	return 0;
}

static int attach_process_life(struct kernel *kernel)
{
	struct bpf_program *programs[] = { kernel->skeleton->progs.process_fork,
					   kernel->skeleton->progs.process_exec,
					   kernel->skeleton->progs.process_exit };

	for (unsigned int i = 0; i < 3; i++) {
		kernel->process_links[i] = bpf_program__attach(programs[i]);
		if (!kernel->process_links[i])
			return -errno;
	}
	return 0;
}

static int load(struct kernel *kernel, const struct kernel_options *options,
		struct trouble *trouble)
{
	int err;

	kernel->skeleton = tierscope__open();
	if (!kernel->skeleton)
		return load_trouble(-errno, trouble);
	configure(kernel, options);
	hook_probes__configure(kernel->skeleton);
	err = tierscope__load(kernel->skeleton);
	if (err)
		return load_trouble(err, trouble);
	err = map_rows(kernel);
	if (!err)
		err = image_arrays__open(kernel);
	if (!err)
		err = finish__open(kernel);
	if (!err)
		err = rings__open(kernel);
	if (!err)
		err = attach_process_life(kernel);
	if (err)
		return trouble__set(trouble, err, "cannot set up the BPF maps: %s",
				    strerror(-err));
	err = off_cpu__attach(kernel);
	if (err)
		return trouble__set(trouble, -EOPNOTSUPP,
				    "this kernel does not tell of switched threads, so there is no --off-cpu: %s",
				    strerror(-err));
	err = tracepoints__attach(kernel, trouble);
	if (err)
		return err;
	err = mappings__open(kernel->cpus, &kernel->mappings);
	if (err)
		return trouble__set(trouble, err, "cannot watch for mapped files: %s",
				    strerror(-err));
	return 0;
}

int kernel__open(const struct kernel_options *options, struct kernel **ret_kernel,
		 struct trouble *ret_trouble)
{
	struct kernel *kernel = alloc__zeroed(1, sizeof(*kernel));
	int cpus = libbpf_num_possible_cpus();
	int err;

	libbpf_set_print(print_libbpf);
	kernel->handed_over = -1;
	kernel->cpus = cpus > 0 ? (unsigned int)cpus : 1;
	kernel->events_count = options->events_count;
	kernel->without_patches = options->without_patches;
	memcpy(kernel->events, options->events, sizeof(kernel->events));
	err = load(kernel, options, ret_trouble);
	if (!err)
		err = sampling__open(kernel, options, ret_trouble);
	if (err) {
		kernel__free(kernel);
		return err;
	}
	*ret_kernel = kernel;
	return 0;
}

/*
 * Handlers run as RCU readers, for which this kind of membarrier waits: those that
 * still saw the probes open have counted and sent when it returns.
 */
int code_events__close(struct kernel *kernel)
{
	__atomic_store_n(&kernel->skeleton->bss->probes_closed, 1, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < PROCESS_LINKS; i++) {
		bpf_link__destroy(kernel->process_links[i]);
		kernel->process_links[i] = NULL;
	}
	return syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) ? -errno : 0;
}

/*
 * The child has every descriptor too, so what is closed here stays until the child
 * ends, and that is when the pipe says that we have closed all.  It keeps none of
 * the standard ones, or whoever reads our output would wait for it.
 */
void kernel__hand_over(struct kernel *kernel)
{
	int ours[2];
	char none;
	pid_t child;

	if (!kernel || !kernel->hooks_count || pipe2(ours, O_CLOEXEC))
		return;
	child = fork();
	if (child) {
		close(ours[0]);
		kernel->handed_over = ours[1];	/* closed when all else is */
		return;
	}
	close(ours[1]);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		close(fd);
	while (read(ours[0], &none, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

void kernel__free(struct kernel *kernel)
{
	if (!kernel)
		return;
	sampling__close(kernel);
	off_cpu__close(kernel);
	tracepoints__close(kernel);
	for (unsigned int i = 0; i < kernel->hooks_count; i++)
		hook_probes__free(kernel->hooks[i].probes);
	free(kernel->hooks);
	for (unsigned int i = 0; i < PROCESS_LINKS; i++)
		bpf_link__destroy(kernel->process_links[i]);
	mappings__free(kernel->mappings);
	rings__close(kernel);
	finish__close(kernel);
	image_arrays__close(kernel);
	if (kernel->rows)
		munmap(kernel->rows, kernel->rows_max * sizeof(struct ts_body_row));
	tierscope__destroy(kernel->skeleton);
	if (kernel->handed_over >= 0)
		close(kernel->handed_over);
	free(kernel);
}

static bool is_armed(const struct kernel *kernel, const struct stat *file, pid_t pid)
{
	for (unsigned int i = 0; i < kernel->hooks_count; i++) {
		const struct armed_hook *hook = &kernel->hooks[i];

		if (hook->device == file->st_dev && hook->inode == file->st_ino &&
		    (hook->pid == -1 || hook->pid == pid))
			return true;
	}
	return false;
}

/*
 * Opened once, and known to the kernel by its descriptor from then on: the path may be that
 * of a hostile process, which could put another file there.  (It could also be a FIFO's.)
 */
static int open_hook(const char *path, struct stat *ret_file)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int err = fd < 0 || fstat(fd, ret_file) ? -errno : 0;

	if (!err && !S_ISREG(ret_file->st_mode))
		err = -ENOEXEC;
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

int kernel__attach_hook(struct kernel *kernel, const char *path, pid_t pid,
			struct trouble *ret_trouble)
{
	struct armed_hook hook = { .pid = pid };
	struct stat file;
	int fd = open_hook(path, &file), err = 0;

	if (fd < 0)
		return trouble__set(ret_trouble, fd, "cannot read the hook library %s: %s",
				    path, strerror(-fd));
	if (is_armed(kernel, &file, pid))
		goto out;
	hook.device = file.st_dev;
	hook.inode = file.st_ino;
	err = hook_probes__arm(kernel->skeleton, &(struct hook_file){ fd, path }, pid,
			       !kernel->without_patches, &hook.probes, ret_trouble);
	if (err)
		goto out;
	alloc__grow(kernel->hooks, kernel->hooks_count, kernel->hooks_capacity);
	kernel->hooks[kernel->hooks_count++] = hook;
out:
	close(fd);
	return err;
}

static int run_door(struct bpf_program *program, void *arguments, size_t size)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = arguments,
		    .ctx_size_in = (__u32)size);
	int err = bpf_prog_test_run_opts(bpf_program__fd(program), &options);

	return err < 0 ? -errno : 0;
}

int kernel__adopt(struct kernel *kernel, pid_t pid, uint32_t flags, uint32_t *ret_space)
{
	struct ts_adopt adopt = { .pid = (uint32_t)pid, .flags = flags };
	int err = run_door(kernel->skeleton->progs.door_adopt, &adopt, sizeof(adopt));

	if (!err)
		err = adopt.error;
	if (!err)
		*ret_space = adopt.number;
	return err;
}

int kernel__insert(struct kernel *kernel, struct ts_insert *insert)
{
	int err = run_door(kernel->skeleton->progs.door_insert, insert, sizeof(*insert));

	return err ? err : insert->error;
}

int kernel__remove(struct kernel *kernel, uint32_t space, uint64_t start)
{
	struct ts_remove remove = { .space = space, .start = start };
	int err = run_door(kernel->skeleton->progs.door_remove, &remove, sizeof(remove));

	return err ? err : remove.error;
}

int kernel__remove_page(struct kernel *kernel, uint32_t space, uint64_t address)
{
	struct ts_remove remove = { .space = space, .start = address, .whole_page = 1 };
	int err = run_door(kernel->skeleton->progs.door_remove, &remove, sizeof(remove));

	return err ? err : remove.error;
}

bool kernel__row(const struct kernel *kernel, uint32_t row, struct ts_body_row *ret_row)
{
	if (row >= kernel->rows_max)
		return false;
	*ret_row = kernel->rows[row];
	return true;
}

unsigned int kernel__cpus(const struct kernel *kernel)
{
	return kernel->cpus;
}
