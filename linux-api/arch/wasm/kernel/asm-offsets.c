// SPDX-License-Identifier: GPL-2.0-only
/* Kbuild makes include/generated/asm-offsets.h from this file. No assembly of ours needs an offset. */
#include <linux/kbuild.h>

int main(void);

int main(void)
{
	BLANK();
	return 0;
}
