/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The kernel types in use, and of them only the fields in use: libbpf relocates
 * each access (CO-RE) to the running kernel's layout.  What is uapi comes from
 * the uapi headers.
 */
#ifndef TIERSCOPE_VMLINUX_H
#define TIERSCOPE_VMLINUX_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <asm/ptrace.h>

typedef struct pt_regs bpf_user_pt_regs_t;

struct bpf_perf_event_data {
	bpf_user_pt_regs_t regs;
	__u64 sample_period;
	__u64 addr;
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

struct mm_struct;

struct signal_struct {
	atomic_t live;		/* threads that have not begun to exit */
	unsigned int flags;
	int group_exit_code;	/* of exit_group() or a signal */
};

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct qstr d_name;
};

struct path {
	struct dentry *dentry;
};

struct file {
	struct path f_path;
};

struct vm_area_struct {
	unsigned long vm_flags;
	struct file *vm_file;
};

struct task_struct {
	unsigned int flags;
	int pid;
	int tgid;
	int exit_code;
	struct mm_struct *mm;
	struct task_struct *group_leader;
	struct signal_struct *signal;
	char comm[16];
};

#pragma clang attribute pop

#endif /* TIERSCOPE_VMLINUX_H */
