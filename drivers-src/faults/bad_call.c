// SPDX-License-Identifier: GPL-2.0-only
#include "moments.h"

static noinline int callback(void *data, int value)
{
	pr_info("%p %d\n", data, value);
	return value;
}

void *stored_callback = callback;

static void fault(struct sample *sample)
{
	void (*call)(long) = READ_ONCE(stored_callback);

	call(1); /* FAULT HERE: bad-indirect-call */
}

FAULT_DRIVER("Calls a function through a pointer of another type");
