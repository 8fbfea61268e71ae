/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The two exports of the library, and the class factory between them and the one
 * callback object.
 */
#include "hook.h"

#include <string.h>

#define EXPORT __attribute__((visibility("default")))

static const struct class_factory_table factory_table;

static struct class_factory the_factory = {&factory_table};

static hresult Factory_QueryInterface(struct class_factory *self,
				      const struct guid *iid, void **ret_object)
{
	bool known = guid__equals(iid, &iid_unknown) ||
		     guid__equals(iid, &iid_class_factory);

	if (!ret_object)
		return E_POINTER;
	*ret_object = known ? self : NULL;
	return known ? S_OK : E_NOINTERFACE;
}

static uint32_t Factory_AddRef(struct class_factory *self)
{
	(void)self;
	return 2;
}

static uint32_t Factory_Release(struct class_factory *self)
{
	(void)self;
	return 1;
}

static hresult Factory_CreateInstance(struct class_factory *self, struct unknown *outer,
				      const struct guid *iid, void **ret_object)
{
	(void)self;
	if (outer)
		return CLASS_E_NOAGGREGATION;
	return hook__query_callback(iid, ret_object);
}

static hresult Factory_LockServer(struct class_factory *self, int32_t lock)
{
	(void)self;
	(void)lock;
	return S_OK;
}

static const struct class_factory_table factory_table = {
	.query_interface = Factory_QueryInterface,
	.add_ref = Factory_AddRef,
	.release = Factory_Release,
	.create_instance = Factory_CreateInstance,
	.lock_server = Factory_LockServer,
};

EXPORT hresult DllGetClassObject(const struct guid *clsid, const struct guid *iid,
				 void **ret_object);
EXPORT hresult DllCanUnloadNow(void);

hresult DllGetClassObject(const struct guid *clsid, const struct guid *iid,
			  void **ret_object)
{
	static const uint8_t ours[] = TS_HOOK_CLSID_BYTES;

	if (memcmp(clsid->bytes, ours, sizeof(ours)))
		return CLASS_E_CLASSNOTAVAILABLE;
	return Factory_QueryInterface(&the_factory, iid, ret_object);
}

/* S_FALSE: there is no moment at which no thread can be inside. */
hresult DllCanUnloadNow(void)
{
	return 1;
}
