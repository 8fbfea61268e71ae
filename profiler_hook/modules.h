/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Modules: their records, and what goes when one of them is unloaded.
 *
 * The runtime reports no end of a method in a collectible module.  A body goes
 * with its own module, and with the modules of all its type arguments:
 * List<T> over a collectible struct says that its module is CoreLib.  Such bodies
 * are linked to the further module when they are born.
 */
#ifndef TIERSCOPE_HOOK_MODULES_H
#define TIERSCOPE_HOOK_MODULES_H

#include "events.h"
#include "hook.h"
#include "text.h"

void modules__loaded(struct hook *hook, const struct module_event *event);
void modules__unloaded(struct hook *hook, module_id module);

/* Takes in a module that is being loaded, of which only the id is known. */
void modules__announced(struct hook *hook, module_id module);

/* Takes in a module that was there before the hook, if it is not known. */
void modules__found(struct hook *hook, module_id module);

/* Whether the record tells of the module that has this id now. */
bool modules__is_still(struct hook *hook, module_id module,
		       const struct ts_journal_record *record);

/* Whether code of this module can go away; takes the module in if it is new. */
bool modules__is_collectible(struct hook *hook, module_id module);

/* Whether the end of this module may free code; asks nobody. */
bool modules__may_free_code(struct hook *hook, module_id module);

/*
 * Takes in a body (bodies__add), and binds it to all collectible modules that its
 * function comes from.
 */
int modules__add_body(struct hook *hook, struct ts_journal_record *draft,
		      const struct text *text);

/* Binds a body to a further module. */
void modules__link(struct hook *hook, module_id module, uint64_t start,
		   uint64_t sequence);

#endif /* TIERSCOPE_HOOK_MODULES_H */
