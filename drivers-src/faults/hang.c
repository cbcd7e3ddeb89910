// SPDX-License-Identifier: GPL-2.0-only
#include <linux/completion.h>
#include "moments.h"

static DECLARE_COMPLETION(never);

static void fault(struct sample *sample)
{
	wait_for_completion(&never); /* FAULT HERE: hang */
}

FAULT_DRIVER("Waits for something that never happens");
