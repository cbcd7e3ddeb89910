// SPDX-License-Identifier: GPL-2.0-only
#include <linux/mutex.h>
#include "../moments.h"

static DEFINE_MUTEX(lock);

static noinline void fault(struct sample *sample)
{
	mutex_lock(&lock);
	mutex_lock(&lock); /* FAULT HERE: deadlock */
	mutex_unlock(&lock);
	mutex_unlock(&lock);
}

FAULT_DRIVER("Takes a mutex that it holds");
