// SPDX-License-Identifier: GPL-2.0-only
#include <linux/panic.h>
#include "moments.h"

static void fault(struct sample *sample)
{
	panic("the sample gives up"); /* FAULT HERE: panic */
}

FAULT_DRIVER("Stops the kernel, as it thinks");
