/* SPDX-License-Identifier: GPL-2.0-only */
/* Read by kernel/time/timer.c alone, before all else: see linux-api/overrides.tsv. */
__asm__(".globl jiffies\n"
	".type jiffies,@object\n"
	".size jiffies,4\n"
	".set jiffies,jiffies_64");
