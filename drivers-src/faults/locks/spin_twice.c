// SPDX-License-Identifier: GPL-2.0-only
#include <linux/spinlock.h>
#include "../moments.h"

static DEFINE_SPINLOCK(lock);

static noinline void fault(struct sample *sample)
{
	spin_lock(&lock);
	spin_lock(&lock); /* FAULT HERE: deadlock */
	spin_unlock(&lock);
	spin_unlock(&lock);
}

FAULT_DRIVER("Takes a spin lock that it holds");
