// SPDX-License-Identifier: GPL-2.0-only
#include <linux/spinlock.h>
#include "../moments.h"

static DEFINE_SPINLOCK(first);
static DEFINE_SPINLOCK(second);

static noinline void forwards(void)
{
	spin_lock(&first);
	spin_lock(&second);
	spin_unlock(&second);
	spin_unlock(&first);
}

/* Both orders, one after the other: nothing ever waits, and on two processors it one day would. */
static noinline void fault(struct sample *sample)
{
	forwards();
	spin_lock(&second);
	spin_lock(&first); /* FAULT HERE: deadlock */
	spin_unlock(&first);
	spin_unlock(&second);
}

FAULT_DRIVER("Takes two spin locks in both orders");
