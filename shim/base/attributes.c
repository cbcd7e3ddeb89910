// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attributes of classes' devices, for whoever asks the domain: CLASS/DEVICE/ATTRIBUTE, as below /sys/class. There is no
 * file system: an entry reads one, writes one, or lists what there is under a shorter path.
 *
 * Only attributes of groups; those that a driver adds one by one are not kept.
 */
#define DRVPORT_SHIM
#include <linux/device.h>
#include <linux/gfp.h>
#include <linux/string.h>
#include <drvport/core.h>
#include <drvport_shim_abi.h>
#include "base.h"

struct search {
	const char *attribute; /* NULL: list them */
	struct device *dev;
	struct attribute *found;
	umode_t mode;
	char *list;
	size_t used;
};

static void note(struct search *search, const char *name)
{
	search->used += scnprintf(search->list + search->used, PAGE_SIZE - search->used, "%s\n", name);
}

static void look_in(struct search *search, const struct attribute_group *group)
{
	struct attribute **attr;
	int i;

	for (attr = group->name ? NULL : group->attrs, i = 0; attr && *attr; attr++, i++) {
		umode_t mode = group->is_visible ? group->is_visible(&search->dev->kobj, *attr, i) : (*attr)->mode;

		if (!(mode & 0666))
			continue;
		if (!search->attribute) {
			note(search, (*attr)->name);
		} else if (!search->found && !strcmp((*attr)->name, search->attribute)) {
			search->found = *attr;
			search->mode = mode;
		}
	}
}

static void look_among(struct search *search, const struct attribute_group **groups)
{
	for (; groups && *groups; groups++)
		look_in(search, *groups);
}

static void look(struct search *search)
{
	struct device *dev = search->dev;

	look_among(search, (const struct attribute_group **)dev->class->dev_groups);
	if (dev->type)
		look_among(search, (const struct attribute_group **)dev->type->groups);
	look_among(search, (const struct attribute_group **)dev->groups);
}

static int each_device(struct device *dev, void *data)
{
	note(data, dev_name(dev));
	return 0;
}

/* What is at a path of up to three names, into the page at `list`. */
static ssize_t show(struct search *search, char *class, char *device)
{
	struct device_attribute *attr;

	if (!class || !*class)
		return -ENOENT;
	if (!device) {
		int err = drvport_class_each(class, search, each_device);

		return err ?: search->used;
	}
	search->dev = drvport_class_device(class, device);
	if (!search->dev)
		return -ENOENT;
	look(search);
	if (!search->attribute)
		return search->used;
	attr = container_of(search->found, struct device_attribute, attr);
	if (!search->found)
		return -ENOENT;
	return attr->show && search->mode & 0444 ? attr->show(search->dev, attr, search->list) : -EACCES;
}

static ssize_t store(struct search *search, char *class, char *device, const char *value, size_t length)
{
	struct device_attribute *attr;

	search->dev = class && device ? drvport_class_device(class, device) : NULL;
	if (!search->dev || !search->attribute)
		return -ENOENT;
	look(search);
	attr = container_of(search->found, struct device_attribute, attr);
	if (!search->found)
		return -ENOENT;
	return attr->store && search->mode & 0222 ? attr->store(search->dev, attr, value, length) : -EACCES;
}

/* See capabilities.ts. */
int drvport_entry_attribute(unsigned int buffer, unsigned int path_len, unsigned int value_len, unsigned int size)
{
	struct task_struct *task = drvport_task_enter("attribute");
	struct search search = { .list = (char *)get_zeroed_page(GFP_KERNEL) };
	char *text = (char *)buffer, *path = kstrndup(text, path_len, GFP_KERNEL), *rest = path;
	char *class, *device;
	ssize_t result = -ENOMEM;

	if (!search.list || !path)
		goto out;
	class = strsep(&rest, "/");
	device = strsep(&rest, "/");
	search.attribute = rest;
	if (value_len == ~0u) {
		result = show(&search, class, device);
		if (result > 0)
			memcpy(text, search.list, min_t(size_t, result, size));
	} else {
		memcpy(search.list, text + path_len, min_t(size_t, value_len, PAGE_SIZE - 1));
		result = store(&search, class, device, search.list, min_t(size_t, value_len, PAGE_SIZE - 1));
	}
	if (search.dev)
		put_device(search.dev);
out:
	kfree(path);
	free_page((unsigned long)search.list);
	drvport_task_leave(task);
	return result;
}
