// SPDX-License-Identifier: GPL-2.0-only
/*
 * sysfs, kernfs and uevents: nobody looks, so creating succeeds and leaves nothing. What a driver formats for a reader
 * (sysfs_emit) is real.
 */
#include <linux/device.h>
#include <linux/sysfs.h>
#include <linux/kernfs.h>
#include <linux/kobject.h>
#include <linux/mm.h>
#include <linux/export.h>
#include <drvport/compat.h>

int sysfs_create_dir_ns(struct kobject *kobj, const void *ns)
{
	return 0;
}

void sysfs_remove_dir(struct kobject *kobj)
{
}

int sysfs_rename_dir_ns(struct kobject *kobj, const char *name, const void *ns)
{
	return 0;
}

int sysfs_move_dir_ns(struct kobject *kobj, struct kobject *parent, const void *ns)
{
	return 0;
}

int sysfs_create_file_ns(struct kobject *kobj, const struct attribute *attr, const void *ns)
{
	return 0;
}

int sysfs_create_files(struct kobject *kobj, const struct attribute *const *attr)
{
	return 0;
}

void sysfs_remove_file_ns(struct kobject *kobj, const struct attribute *attr, const void *ns)
{
}

void sysfs_remove_files(struct kobject *kobj, const struct attribute *const *attr)
{
}

int sysfs_create_bin_file(struct kobject *kobj, const struct bin_attribute *attr)
{
	return 0;
}

void sysfs_remove_bin_file(struct kobject *kobj, const struct bin_attribute *attr)
{
}

int sysfs_create_link(struct kobject *kobj, struct kobject *target, const char *name)
{
	return 0;
}

int sysfs_create_link_nowarn(struct kobject *kobj, struct kobject *target, const char *name)
{
	return 0;
}

void sysfs_remove_link(struct kobject *kobj, const char *name)
{
}

int sysfs_create_group(struct kobject *kobj, const struct attribute_group *group)
{
	return 0;
}

int sysfs_create_groups(struct kobject *kobj, const struct attribute_group **groups)
{
	return 0;
}

int sysfs_update_group(struct kobject *kobj, const struct attribute_group *group)
{
	return 0;
}

void sysfs_remove_group(struct kobject *kobj, const struct attribute_group *group)
{
}

void sysfs_remove_groups(struct kobject *kobj, const struct attribute_group **groups)
{
}

int sysfs_merge_group(struct kobject *kobj, const struct attribute_group *group)
{
	return 0;
}

void sysfs_unmerge_group(struct kobject *kobj, const struct attribute_group *group)
{
}

void sysfs_notify(struct kobject *kobj, const char *dir, const char *attr)
{
}

int sysfs_emit(char *buf, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vscnprintf(buf, PAGE_SIZE, fmt, args);
	va_end(args);
	return len;
}

int sysfs_emit_at(char *buf, int at, const char *fmt, ...)
{
	va_list args;
	int len;

	if (at < 0 || at >= PAGE_SIZE)
		return 0;
	va_start(args, fmt);
	len = vscnprintf(buf + at, PAGE_SIZE - at, fmt, args);
	va_end(args);
	return len;
}

void kernfs_get(struct kernfs_node *kn)
{
}

void kernfs_put(struct kernfs_node *kn)
{
}

void kernfs_notify(struct kernfs_node *kn)
{
}

struct kernfs_node *kernfs_find_and_get_ns(struct kernfs_node *parent, const char *name, const void *ns)
{
	return NULL;
}

int kobject_uevent(struct kobject *kobj, enum kobject_action action)
{
	return 0;
}

int kobject_uevent_env(struct kobject *kobj, enum kobject_action action, char *envp[])
{
	return 0;
}

int add_uevent_var(struct kobj_uevent_env *env, const char *format, ...)
{
	return 0;
}

int sysfs_chmod_file(struct kobject *kobj, const struct attribute *attr, umode_t mode)
{
	return 0;
}

ssize_t show_class_attr_string(DRVPORT_CONST_CLASS struct class *class, DRVPORT_CONST_CLASS struct class_attribute *attr,
			       char *buf)
{
	return sysfs_emit(buf, "%s\n", container_of(attr, struct class_attribute_string, attr)->str);
}
