// SPDX-License-Identifier: GPL-2.0-only
#include "moments.h"

unsigned int depth_wanted = ~0u;

static noinline unsigned int descend(unsigned int depth)
{
	volatile unsigned int used[32];
	unsigned int below;

	used[depth % 32] = depth;
	if (depth == READ_ONCE(depth_wanted))
		return 0;
	below = descend(depth + 1); /* FAULT HERE: stack-overflow */
	return below + used[depth % 32];
}

static void fault(struct sample *sample)
{
	pr_info("reached %u\n", descend(0));
}

FAULT_DRIVER("Calls itself until the stack is gone");
