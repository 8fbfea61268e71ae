/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * What the hook needs of threads and of the dynamic linker.  These functions moved
 * from libpthread and libdl into libc with glibc 2.34 and got a new version there;
 * a library that asks for the old one, which every glibc still has, loads with both
 * (a symbol is looked up by version, in whichever library has it).
 */
#ifndef TIERSCOPE_HOOK_THREADS_H
#define TIERSCOPE_HOOK_THREADS_H

#include <dlfcn.h>
#include <pthread.h>

__asm__(".symver pthread_create,pthread_create@GLIBC_2.2.5");
__asm__(".symver pthread_join,pthread_join@GLIBC_2.2.5");
__asm__(".symver pthread_attr_setstacksize,pthread_attr_setstacksize@GLIBC_2.2.5");
__asm__(".symver dlopen,dlopen@GLIBC_2.2.5");
__asm__(".symver dlsym,dlsym@GLIBC_2.2.5");
__asm__(".symver dlclose,dlclose@GLIBC_2.2.5");
__asm__(".symver dladdr,dladdr@GLIBC_2.2.5");

#endif /* TIERSCOPE_HOOK_THREADS_H */
