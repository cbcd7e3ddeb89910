// SPDX-License-Identifier: GPL-2.0-only
#include "moments.h"

unsigned int link_speed;

static void fault(struct sample *sample)
{
	pr_info("a frame takes %u us\n", 12000 / READ_ONCE(link_speed)); /* FAULT HERE: divide-by-zero */
}

FAULT_DRIVER("Divides by a speed that is not known yet");
