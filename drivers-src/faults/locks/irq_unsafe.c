// SPDX-License-Identifier: GPL-2.0-only
#include <linux/spinlock.h>
#include "../moments.h"

static DEFINE_SPINLOCK(lock);

static noinline void process_side(void)
{
	spin_lock(&lock);
	spin_unlock(&lock);
}

/* At an interrupt: had it come between the two lines above, it would wait for what it interrupted. */
static noinline void fault(struct sample *sample)
{
	spin_lock(&lock); /* FAULT HERE: deadlock */
	spin_unlock(&lock);
}

static int __init irq_unsafe_init(void)
{
	process_side();
	return sample_init();
}

module_init(irq_unsafe_init);
module_exit(sample_exit);
MODULE_DESCRIPTION("Takes in an interrupt handler a lock that is taken elsewhere with interrupts on");
MODULE_LICENSE("GPL");
