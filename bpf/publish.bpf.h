/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * From a probe of the hook to the code map and the ring.  The ring record is
 * reserved before the body becomes visible to the sampler, so the loader,
 * which drains samples first and code events second, knows every body that a
 * sample names.  When the ring is full the body is inserted all the same: the
 * loader sees the gap in the sequence and reads the journal again.
 *
 * What a probe says about its own process is believed (a process can only lie
 * about itself), but read and bounded as hostile.
 *
 * code_events = code_sent + code_ring_full + bad_probe + bad_record, exactly.
 */
#ifndef TIERSCOPE_PUBLISH_BPF_H
#define TIERSCOPE_PUBLISH_BPF_H

#include "codemap.bpf.h"

/* Two sizes of ring records, by the length of the text. */
#define TEXT_SHORT	(512 - sizeof(struct ts_code_event))
#define TEXT_LONG	(4096 - sizeof(struct ts_code_event))

struct probe {
	__u32 kind;		/* enum ts_event_type */
	__u64 sequence, function_id, start, size;
};

/*
 * Set by the loader when the recording ends.  What a probe tells from then on is
 * as if it were disarmed; disarming itself can take the kernel half a second.
 */
__u32 probes_closed __weak;

/* Bytes in the ring of code events; set by the loader to half of what it holds. */
KNOB __u32 code_ring_much __weak = 1 << 20;

static __always_inline struct ts_space *current_space(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;

	if (READ_ONCE(probes_closed))
		return NULL;
	return bpf_map_lookup_elem(&spaces, &tgid);
}

static __always_inline void fill_header(struct ts_event *header, __u32 type,
					__u32 size, __u32 space)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();

	header->type = type;
	header->size = size;
	header->time_ns = bpf_ktime_get_ns();
	header->space = space;
	header->pid = pid_tgid >> 32;
	header->tid = (__u32)pid_tgid;
	header->cpu = bpf_get_smp_processor_id();
}

/*
 * A record's room in the ring.  To the verifier of Linux 6.1 ring memory that
 * was compared with NULL may still be NULL at the next comparison, and it asks
 * for a submit on that branch too.  So the address is compared once, where it
 * is got; afterwards `there` tells.
 */
struct room {
	struct ts_code_event *event;
	__u32 there;
};

/*
 * The loader looks by itself a few times a second, so that a body does not cost a wake-up;
 * but it wants to know when many come at once.
 */
static __always_inline __u64 code_ring_wish(void)
{
	return bpf_ringbuf_query(&code_events, BPF_RB_AVAIL_DATA) < code_ring_much
		       ? BPF_RB_NO_WAKEUP
		       : BPF_RB_FORCE_WAKEUP;
}

/* The record in the ring, with the text it points at. */
static __always_inline struct room
reserve_event(__u32 kind, __u32 space, const struct ts_journal_record *record)
{
	const void *text = (const void *)record->text_address;
	struct ts_code_event *event;
	struct room room = {};
	__u32 size = record->text_size;
	long err = 0;

	if (size <= TEXT_SHORT) {
		event = bpf_ringbuf_reserve(&code_events, 512, 0);
		if (!event)
			goto full;
		if (size)
			err = bpf_probe_read_user(event->text, size, text);
	} else {
		if (size > TEXT_LONG)
			size = TEXT_LONG;
		event = bpf_ringbuf_reserve(&code_events, 4096, 0);
		if (!event)
			goto full;
		err = bpf_probe_read_user(event->text, size, text);
	}
	if (err)
		size = 0;
	fill_header(&event->header, kind, sizeof(*event) + size, space);
	event->record = *record;
	event->text_size = size;
	event->reserved = 0;
	room.event = event;
	room.there = 1;
	goto out;
full:
	ledger_count(TS_LEDGER_CODE_RING_FULL);
out:
	/* Else the compiler compares the address instead. */
	barrier_var(room.there);
	return room;
}

static __always_inline void submit_event(const struct room *room,
					 const struct placed *placed, __u64 flags)
{
	if (!room->there)
		return;
	room->event->row = placed->row;
	room->event->generation = placed->generation;
	bpf_ringbuf_submit(room->event, flags);
	ledger_count(TS_LEDGER_CODE_SENT);
}

/* The journal's record, with what the probe itself said on top. */
static __always_inline int read_record(const struct probe *probe, const void *from,
				       struct ts_journal_record *record)
{
	if (bpf_probe_read_user(record, sizeof(*record), from)) {
		ledger_count(TS_LEDGER_BAD_RECORD);
		return -EFAULT;
	}
	if (probe->size > 0xffffffffULL) {
		ledger_count(TS_LEDGER_BAD_PROBE);
		return -EINVAL;
	}
	record->sequence = probe->sequence;
	record->start = probe->start;
	record->size = probe->size;
	return 0;
}

static __always_inline int on_code_load(const struct probe *probe, const void *from)
{
	struct ts_space *space = current_space();
	struct ts_journal_record record;
	struct placed placed = {};
	struct room room;

	if (!space)
		return 0;
	ledger_count(TS_LEDGER_CODE_LOADS);
	ledger_count(TS_LEDGER_CODE_EVENTS);
	if (read_record(probe, from, &record))
		return 0;
	if (!body_plausible(record.start, record.size)) {
		ledger_count(TS_LEDGER_BAD_PROBE);
		return 0;
	}
	record.function_id = probe->function_id;
	room = reserve_event(TS_EVENT_CODE_LOAD, space->number, &record);
	body_insert(space, &record, &placed);
	submit_event(&room, &placed, code_ring_wish());
	return 0;
}

static __always_inline int on_code_unload(const struct probe *probe)
{
	struct ts_space *space = current_space();
	struct ts_journal_record record = { .kind = TS_RECORD_CODE };
	struct placed placed = {};
	struct room room;

	if (!space)
		return 0;
	ledger_count(TS_LEDGER_CODE_UNLOADS);
	ledger_count(TS_LEDGER_CODE_EVENTS);
	if (probe->size > 0xffffffffULL) {
		ledger_count(TS_LEDGER_BAD_PROBE);
		return 0;
	}
	record.sequence = probe->sequence;
	record.function_id = probe->function_id;
	record.start = probe->start;
	record.size = probe->size;
	room = reserve_event(TS_EVENT_CODE_UNLOAD, space->number, &record);
	body_remove(space->number, probe->start, &space->bodies, &placed);
	submit_event(&room, &placed, code_ring_wish());
	return 0;
}

static __always_inline int on_module(const struct probe *probe, const void *from)
{
	struct ts_space *space = current_space();
	struct ts_journal_record record;
	struct placed nowhere = {};
	struct room room;

	if (!space)
		return 0;
	ledger_count(TS_LEDGER_CODE_EVENTS);
	if (read_record(probe, from, &record))
		return 0;
	record.module_id = probe->function_id;
	/* Wake the loader: a new image wants its table before it is sampled. */
	room = reserve_event(probe->kind, space->number, &record);
	submit_event(&room, &nowhere, BPF_RB_FORCE_WAKEUP);
	return 0;
}

/* What a stub_patches probe points to; the loader holds it against what it knows. */
static __always_inline int on_stub_patches(const void *from)
{
	struct ts_space *space = current_space();
	struct ts_patch_event *event;

	if (!space)
		return 0;
	ledger_count(TS_LEDGER_STUB_PATCHES);
	ledger_count(TS_LEDGER_CODE_EVENTS);
	event = bpf_ringbuf_reserve(&code_events, sizeof(*event), 0);
	if (!event) {
		ledger_count(TS_LEDGER_CODE_RING_FULL);
		return 0;
	}
	/* Larger than the stack of a program.  What cannot be read is sent as none: what is
	 * reserved is submitted. */
	if (bpf_probe_read_user(&event->told, sizeof(event->told), from))
		event->told.count = 0;
	fill_header(&event->header, TS_EVENT_STUB_PATCH, sizeof(*event), space->number);
	bpf_ringbuf_submit(event, code_ring_wish());
	ledger_count(TS_LEDGER_CODE_SENT);
	return 0;
}

static __always_inline int on_tiering(__u32 kind, __u32 pending, __u32 new_methods,
				      __u32 compiled)
{
	struct ts_space *space = current_space();
	struct ts_tiering_event *event;

	if (!space)
		return 0;
	ledger_count(TS_LEDGER_TIERING);
	ledger_count(TS_LEDGER_CODE_EVENTS);
	event = bpf_ringbuf_reserve(&code_events, sizeof(*event), 0);
	if (!event) {
		ledger_count(TS_LEDGER_CODE_RING_FULL);
		return 0;
	}
	fill_header(&event->header, TS_EVENT_TIERING, sizeof(*event), space->number);
	event->kind = kind;
	event->pending = pending;
	event->new_methods = new_methods;
	event->compiled = compiled;
	bpf_ringbuf_submit(event, code_ring_wish());
	ledger_count(TS_LEDGER_CODE_SENT);
	return 0;
}

#endif /* TIERSCOPE_PUBLISH_BPF_H */
