/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* The kernel's structs, as far as bpf/memory.bpf.h reads them, for what compiles it natively. */
#ifndef TIERSCOPE_TESTS_BPF_VMA_H
#define TIERSCOPE_TESTS_BPF_VMA_H

struct dentry {
	struct {
		const char *name;
	} d_name;
};
struct file {
	struct {
		struct dentry *dentry;
	} f_path;
};
struct vm_area_struct {
	unsigned long vm_flags;
	struct file *vm_file;
};

#endif /* TIERSCOPE_TESTS_BPF_VMA_H */
