// SPDX-License-Identifier: GPL-2.0-only
#include <linux/mutex.h>
#include "../moments.h"

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);

static noinline void forwards(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
}

static noinline void fault(struct sample *sample)
{
	forwards();
	mutex_lock(&second);
	mutex_lock(&first); /* FAULT HERE: deadlock */
	mutex_unlock(&first);
	mutex_unlock(&second);
}

FAULT_DRIVER("Takes two mutexes in both orders");
