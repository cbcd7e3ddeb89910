// SPDX-License-Identifier: GPL-2.0-only
#include "moments.h"

int never_set;

static void fault(struct sample *sample)
{
	unsigned int turns = 0;

	while (!READ_ONCE(never_set)) /* FAULT HERE: endless-loop */
		turns++;
	pr_info("%u turns\n", turns);
}

FAULT_DRIVER("Waits for a variable that nobody changes, without giving way");
