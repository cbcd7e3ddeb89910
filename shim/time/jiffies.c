// SPDX-License-Identifier: GPL-2.0-only
/*
 * One storage, three names: the machine writes the tick count, drivers read jiffies and jiffies_64. Includes no kernel
 * header, because theirs declare the names with types of their own.
 */
unsigned long long drvport_tick __attribute__((aligned(8)));
extern unsigned long long jiffies_64 __attribute__((alias("drvport_tick")));
extern unsigned long jiffies __attribute__((alias("drvport_tick")));
