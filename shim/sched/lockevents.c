// SPDX-License-Identifier: GPL-2.0-only
/* The counters that the tree's rwsem keeps when it is configured to. */
#include <linux/percpu.h>
#include <linux/../../kernel/locking/lock_events.h>

#ifdef CONFIG_LOCK_EVENT_COUNTS
DEFINE_PER_CPU(unsigned long, lockevents[lockevent_num]);
#endif
