// SPDX-License-Identifier: GPL-2.0-only
/*
 * printk: formatted by the tree's own vsnprintf, one log record a line. A line may come in pieces (pr_cont).
 */
#include <linux/printk.h>
#include <linux/kernel.h>
#include <linux/kern_levels.h>
#include <linux/console.h>
#include <linux/ratelimit.h>
#include <linux/device.h>
#include <linux/string.h>
#include <linux/export.h>
#include <drvport/core.h>

int console_printk[4] = { CONSOLE_LOGLEVEL_DEFAULT, MESSAGE_LOGLEVEL_DEFAULT, CONSOLE_LOGLEVEL_MIN,
			  CONSOLE_LOGLEVEL_DEFAULT };
int suppress_printk;
/* Read by a pair of macros of the headers; the shim rate-limits nothing itself. */
struct ratelimit_state printk_ratelimit_state;

static char line[1024];
static unsigned int line_len;
static int line_level = LOGLEVEL_INFO;

static void line_flush(void)
{
	if (line_len) {
		drvport_log_write(line_level, (u32)line, line_len);
		drvport_lockdep_line(line, line_len);
	}
	line_len = 0;
}

static void line_add(const char *text, unsigned int len)
{
	while (len--) {
		char c = *text++;

		if (c == '\n') {
			line_flush();
			continue;
		}
		if (line_len < sizeof(line))
			line[line_len++] = c;
	}
}

asmlinkage int vprintk(const char *fmt, va_list args)
{
	static char text[1024];
	unsigned long flags;
	const char *start = text;
	int len, level = MESSAGE_LOGLEVEL_DEFAULT;
	bool more = false;

	local_irq_save(flags);
	len = vscnprintf(text, sizeof(text), fmt, args);
	while (start[0] == KERN_SOH_ASCII && start[1]) {
		if (start[1] == 'c')
			more = true;
		else if (start[1] >= '0' && start[1] <= '7')
			level = start[1] - '0';
		start += 2;
	}
	if (!more) {
		line_flush();
		line_level = level;
	}
	line_add(start, len - (start - text));
	local_irq_restore(flags);
	return len;
}

asmlinkage int vprintk_emit(int facility, int level, const struct dev_printk_info *info, const char *fmt, va_list args)
{
	if (level != LOGLEVEL_DEFAULT && level >= 0) {
		line_flush();
		line_level = level;
		return vprintk(fmt, args);
	}
	return vprintk(fmt, args);
}

asmlinkage __visible int _printk(const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vprintk(fmt, args);
	va_end(args);
	return len;
}

int _printk_deferred(const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vprintk(fmt, args);
	va_end(args);
	return len;
}

int __printk_ratelimit(const char *func)
{
	return 1;
}

bool printk_timed_ratelimit(unsigned long *last, unsigned int interval_msecs)
{
	unsigned long elapsed = jiffies - *last;

	if (*last && elapsed <= msecs_to_jiffies(interval_msecs))
		return false;
	*last = jiffies;
	return true;
}

/* Nothing is dropped: the machine has a quota for a domain's log. */
int ___ratelimit(struct ratelimit_state *rs, const char *func)
{
	return 1;
}

/* ---- with a device's name ---- */

static void dev_vprintk(const char *level, const struct device *dev, struct va_format *vaf)
{
	if (dev)
		_printk("%s%s %s: %pV", level, dev_driver_string(dev), dev_name(dev), vaf);
	else
		_printk("%s(NULL device *): %pV", level, vaf);
}

void _dev_printk(const char *level, const struct device *dev, const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	dev_vprintk(level, dev, &vaf);
	va_end(args);
}

int dev_printk_emit(int level, const struct device *dev, const char *fmt, ...)
{
	char soh[] = { KERN_SOH_ASCII, '0' + level, 0 };
	struct va_format vaf;
	va_list args;

	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	dev_vprintk(soh, dev, &vaf);
	va_end(args);
	return 0;
}

#define DEV_PRINTK(name, level)						\
	void name(const struct device *dev, const char *fmt, ...)	\
	{								\
		struct va_format vaf;					\
		va_list args;						\
									\
		va_start(args, fmt);					\
		vaf.fmt = fmt;						\
		vaf.va = &args;						\
		dev_vprintk(level, dev, &vaf);				\
		va_end(args);						\
	}

DEV_PRINTK(_dev_emerg, KERN_EMERG)
DEV_PRINTK(_dev_alert, KERN_ALERT)
DEV_PRINTK(_dev_crit, KERN_CRIT)
DEV_PRINTK(_dev_err, KERN_ERR)
DEV_PRINTK(_dev_warn, KERN_WARNING)
DEV_PRINTK(_dev_notice, KERN_NOTICE)
DEV_PRINTK(_dev_info, KERN_INFO)

int dev_err_probe(const struct device *dev, int err, const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	if (err != -EPROBE_DEFER)
		dev_err(dev, "error %pe: %pV", ERR_PTR(err), &vaf);
	va_end(args);
	return err;
}

const char *dev_driver_string(const struct device *dev)
{
	const struct device_driver *driver = READ_ONCE(dev->driver);

	if (driver)
		return driver->name;
	if (dev->bus)
		return dev->bus->name;
	return dev->class ? dev->class->name : "";
}

/* ---- consoles: there are none ---- */

void console_lock(void)
{
}

void console_unlock(void)
{
}

int console_trylock(void)
{
	return 1;
}
