// SPDX-License-Identifier: GPL-2.0-only
#include <linux/spinlock.h>
#include "moments.h"

static DEFINE_SPINLOCK(lock);

static noinline void fault(struct sample *sample)
{
	spin_unlock(&lock);
}

FAULT_DRIVER("Releases a spin lock that it does not hold");
