// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random numbers: a generator (splitmix64) seeded from the machine's own clock at first use. Deterministic, as the
 * machine is: the same run gives the same numbers. Not for secrets, of which a driver domain has none.
 */
#include <linux/random.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/version.h>
#include <linux/notifier.h>
#include <linux/string.h>
#include <linux/export.h>
#include <drvport/core.h>

static u64 state;

static u64 next(void)
{
	u64 z;

	if (!state)
		drvport_time_wall((u32)&state);
	z = state += 0x9e3779b97f4a7c15ULL;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

void get_random_bytes(void *buf, size_t len)
{
	u8 *out = buf;

	while (len) {
		u64 word = next();
		size_t n = min(len, sizeof(word));

		memcpy(out, &word, n);
		out += n;
		len -= n;
	}
}

u8 get_random_u8(void)
{
	return next();
}

u16 get_random_u16(void)
{
	return next();
}

u32 get_random_u32(void)
{
	return next();
}

u64 get_random_u64(void)
{
	return next();
}

u32 __get_random_u32_below(u32 ceil)
{
	return ((u64)(u32)next() * ceil) >> 32;
}

bool rng_is_initialized(void)
{
	return true;
}

int wait_for_random_bytes(void)
{
	return 0;
}

int __cold execute_with_initialized_rng(struct notifier_block *nb)
{
	nb->notifier_call(nb, 0, NULL);
	return 0;
}

/* Nothing is gathered: the numbers are the machine's to choose. */
void add_device_randomness(const void *buf, size_t len)
{
}

void add_interrupt_randomness(int irq)
{
}

void add_input_randomness(unsigned int type, unsigned int code, unsigned int value)
{
}

/* As for them; but who feeds a pool that is full waits a minute before it comes again. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
void add_hwgenerator_randomness(const void *buf, size_t len, size_t entropy)
{
	const bool sleep_after = true;
#else
void add_hwgenerator_randomness(const void *buf, size_t len, size_t entropy, bool sleep_after)
{
#endif
	if (sleep_after && !((current->flags & PF_KTHREAD) && kthread_should_stop()))
		schedule_timeout_interruptible(60 * HZ);
}
