// SPDX-License-Identifier: GPL-2.0-only
#include "moments.h"

static void fault(struct sample *sample)
{
	outb(0xfe, 0x64); /* FAULT HERE: no-capability */
}

FAULT_DRIVER("Writes to a port it was not granted");
