/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The full-screen view as cells: of a snapshot, what its user made of it, and the size of the
 * screen, and of nothing else.
 */
#ifndef TIERSCOPE_TOP_FRAME_H
#define TIERSCOPE_TOP_FRAME_H

#include "state.h"

#include "../terminal/cells.h"

/* Everything of it may be missing: NULL.  `cells` are blank, and have the size. */
void top_frame__draw(const struct top_snapshot *snapshot, const struct top_details *details,
		     const struct top_state *state, struct cells *cells);
/* To be called before: has what is chosen in sight, on a screen of that size. */
void top_frame__fit(const struct top_snapshot *snapshot, const struct top_details *details,
		    struct top_state *state, const struct cells *cells);

#endif /* TIERSCOPE_TOP_FRAME_H */
