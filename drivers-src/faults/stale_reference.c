// SPDX-License-Identifier: GPL-2.0-only
#include <linux/refcount.h>
#include "moments.h"

static noinline void fault(struct sample *sample)
{
	refcount_t count = REFCOUNT_INIT(1);

	if (refcount_dec_and_test(&count))
		refcount_inc(&count); /* FAULT HERE */
}

FAULT_DRIVER("Takes a reference to what nobody refers to any more");
