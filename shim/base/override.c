// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device's driver chosen by name: sets or, with an empty name, clears the string that a bus's match looks at.
 */
#include <linux/device.h>
#include <linux/slab.h>
#include <linux/string.h>

int driver_set_override(struct device *dev, const char **override, const char *s, size_t len)
{
	const char *old, *end = strnchr(s, len, '\n');
	char *name;

	if (!override || !s || len >= PAGE_SIZE - 1)
		return -EINVAL;
	if (end)
		len = end - s;
	name = len ? kstrndup(s, len, GFP_KERNEL) : NULL;
	if (len && !name)
		return -ENOMEM;
	device_lock(dev);
	old = *override;
	*override = name;
	device_unlock(dev);
	kfree(old);
	return 0;
}
