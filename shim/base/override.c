// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device's driver chosen by name: sets or, with an empty name, clears the string that a bus's match looks at.
 */
#include <linux/device.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <drvport/compat.h>

/* The name up to its newline; NULL for none. */
static int copy_name(const char *s, size_t len, char **name)
{
	const char *end = s ? strnchr(s, len, '\n') : NULL;

	if (!s || len >= PAGE_SIZE - 1)
		return -EINVAL;
	if (end)
		len = end - s;
	*name = len ? kstrndup(s, len, GFP_KERNEL) : NULL;
	return len && !*name ? -ENOMEM : 0;
}

int driver_set_override(struct device *dev, const char **override, const char *s, size_t len)
{
	const char *old;
	char *name;
	int err = override ? copy_name(s, len, &name) : -EINVAL;

	if (err)
		return err;
	device_lock(dev);
	old = *override;
	*override = name;
	device_unlock(dev);
	kfree(old);
	return 0;
}

#ifdef DRVPORT_DEVICE_OVERRIDE
int __device_set_driver_override(struct device *dev, const char *s, size_t len)
{
	const char *old;
	char *name;
	int err = copy_name(s, len, &name);

	if (err)
		return err;
	spin_lock(&dev->driver_override.lock);
	old = dev->driver_override.name;
	dev->driver_override.name = name;
	spin_unlock(&dev->driver_override.lock);
	kfree(old);
	return 0;
}
#endif
