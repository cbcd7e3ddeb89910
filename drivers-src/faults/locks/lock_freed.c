// SPDX-License-Identifier: GPL-2.0-only
#include <linux/mutex.h>
#include "../moments.h"

struct guarded {
	struct mutex lock;
	int value;
};

static noinline void fault(struct sample *sample)
{
	struct guarded *guarded = kmalloc(sizeof(*guarded), GFP_KERNEL);

	mutex_init(&guarded->lock);
	mutex_lock(&guarded->lock);
	kfree(guarded); /* FAULT HERE: bug */
}

FAULT_DRIVER("Frees memory with a mutex in it that is held");
