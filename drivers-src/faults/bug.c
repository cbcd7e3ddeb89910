// SPDX-License-Identifier: GPL-2.0-only
#include "moments.h"

static void fault(struct sample *sample)
{
	BUG(); /* FAULT HERE: bug */
}

FAULT_DRIVER("Finds itself in an impossible state");
