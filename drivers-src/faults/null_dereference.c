// SPDX-License-Identifier: GPL-2.0-only
#include "moments.h"

struct widget {
	int first;
	int count;
};

struct widget *missing_widget;

static void fault(struct sample *sample)
{
	struct widget *widget = READ_ONCE(missing_widget);

	widget->count = 1; /* FAULT HERE: null-dereference */
}

FAULT_DRIVER("Writes through a pointer that nobody set");
