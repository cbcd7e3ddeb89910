// SPDX-License-Identifier: GPL-2.0-only
#include "moments.h"

static DEFINE_SPINLOCK(lock);

static void fault(struct sample *sample)
{
	spin_lock(&lock);
	msleep(10); /* FAULT HERE: sleep-in-atomic */
	spin_unlock(&lock);
}

FAULT_DRIVER("Sleeps with a spinlock held");
