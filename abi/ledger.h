/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The ledger: every count of what was kept and what was lost, one name and
 * one sentence each, in one table.  Numbers are never reused.
 *
 *   samples:      due   = fired + not delivered
 *                 fired = kept + the sum of LOST
 *   code events:  fired = kept + the sum of CODE_LOST
 *   OFF_CPU:      chosen = kept + the sum of OFF_CPU_LOST
 *
 * OUT_OF_SCOPE runs belong to processes that nobody asked about; they are in none.  NOTE
 * counts say something about what was kept.  MAP_LOST bodies are not in the code map, whether
 * or not their event was kept: their samples are resolved by the loader, from the raw address.
 */
#ifndef TIERSCOPE_ABI_LEDGER_H
#define TIERSCOPE_ABI_LEDGER_H

/*    number, identifier, class, name in output, sentence */
#define TS_LEDGER_TABLE(X) \
X(0,  RUNS,		RUN,	"runs", \
  "the sampler ran") \
X(1,  OUT_OF_SCOPE,	SCOPE,	"out_of_scope", \
  "the sample was of another process, or the CPU was idle") \
X(2,  KEPT,		KEPT,	"kept", \
  "the sample was sent to the loader") \
X(3,  RING_FULL,	LOST,	"ring_full", \
  "the sample ring was full") \
X(4,  NO_USER_REGISTERS, LOST,	"no_user_registers", \
  "the thread had no user registers, it is a kernel thread or exiting") \
X(5,  INTERNAL,		LOST,	"internal", \
  "a map of our own was missing, which is a bug") \
X(6,  READER_DROPPED,	LOST,	"reader_dropped", \
  "the loader could not make sense of the record") \
X(16, BAD_FRAME,	NOTE,	"bad_frame", \
  "the walk ended at a frame that could not be read") \
X(17, TRUNCATED,	NOTE,	"truncated", \
  "the stack was deeper than the frames of a sample") \
X(18, TABLE_PENDING,	NOTE,	"table_pending", \
  "the walk met memory of which nothing was known yet; the loader walks on") \
X(19, RACING_UPDATE,	NOTE,	"racing_update", \
  "a body's row changed while the sampler read it") \
X(20, NATIVE_END,	NOTE,	"native_end", \
  "the walk ended in native code that has no rule and keeps no rbp chain") \
X(21, HIJACKED,		NOTE,	"hijacked", \
  "the runtime, suspending the thread, had hidden a return address of the stack") \
X(22, NO_KERNEL_STACK,	NOTE,	"no_kernel_stack", \
  "the kernel did not give its own stack for a sample in kernel mode") \
X(32, CODE_LOADS,	CODE,	"code_loads", \
  "code_load probes that fired") \
X(33, CODE_UNLOADS,	CODE,	"code_unloads", \
  "code_unload probes that fired") \
X(34, CODE_RING_FULL,	CODE_LOST, "code_ring_full", \
  "the code event ring was full; the journal is read again") \
X(35, ROWS_FULL,	MAP_LOST, "rows_full", \
  "the code map had no row left") \
X(36, PAGES_FULL,	MAP_LOST, "pages_full", \
  "the code map had no page left") \
X(37, MAP_BUSY,		MAP_LOST, "map_busy", \
  "a map update failed because a sample interrupted it") \
X(38, BAD_PROBE,	CODE_LOST, "bad_probe", \
  "a probe's arguments made no sense") \
X(39, BAD_RECORD,	CODE_LOST, "bad_record", \
  "a probe's record could not be read") \
X(40, QUOTA,		MAP_LOST, "quota", \
  "one process had more bodies than a process may have") \
X(41, SPACES_FULL,	MAP_LOST, "spaces_full", \
  "more processes than the tables hold") \
X(42, CODE_EVENTS,	CODE,	"code_events", \
  "code events that fired, of every kind") \
X(43, CODE_SENT,	CODE,	"code_sent", \
  "code events sent to the loader") \
X(44, CODE_READER_DROPPED, CODE_LOST, "code_reader_dropped", \
  "the loader could not make sense of the event") \
X(45, STUB_PATCHES,	CODE,	"stub_patches", \
  "stub_patches probes that fired") \
X(46, OFF_CPU_CHOSEN,	OFF_CPU, "chosen", \
  "a stack was to be taken of a thread that was switched out") \
X(47, OFF_CPU_RING_FULL, OFF_CPU_LOST, "ring_full", \
  "the sample ring was full") \
X(48, OFF_CPU_END_LOST, OFF_CPU_LOST, "end_lost", \
  "nobody was told when the thread ran again: the sample ring was full, or the kernel silent") \
X(49, OFF_CPU_READER_DROPPED, OFF_CPU_LOST, "reader_dropped", \
  "the loader could not make sense of the record") \
X(50, OFF_CPU_THREADS_FULL, OFF_CPU_NOTE, "threads_full", \
  "switches of threads that found no place in the table of threads: their times are not known") \
X(51, OFF_CPU_THREAD_LOST, OFF_CPU_NOTE, "thread_lost", \
  "the sample ring was full when a thread ended: its times are not known") \
X(52, OFF_CPU_NOT_TOLD,	OFF_CPU_NOTE, "switches_not_told", \
  "a thread was switched out, or sampled, but the kernel had not told that it was in") \
X(53, TIERING,		CODE,	"tiering_told", \
  "tiering probes that fired") \

enum ts_ledger {
#define TS_LEDGER_ENUM(number, id, class, name, text) TS_LEDGER_##id = number,
	TS_LEDGER_TABLE(TS_LEDGER_ENUM)
#undef TS_LEDGER_ENUM
	TS_LEDGER_SLOTS = 64
};

#endif /* TIERSCOPE_ABI_LEDGER_H */
