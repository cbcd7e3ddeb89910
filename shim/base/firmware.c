// SPDX-License-Identifier: GPL-2.0-only
/*
 * Firmware: files under /lib/firmware of the domain's own in-memory file system, read through WASI.
 *
 * Must not know: where the host found them.
 */
#include <linux/firmware.h>
#include <linux/device.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include <linux/module.h>
#include <linux/export.h>
#include <drvport/core.h>
#include <drvport/wasi.h>

static int read_all(u32 fd, u8 *to, size_t size)
{
	size_t done = 0;

	while (done < size) {
		struct wasi_iovec iov = { to + done, size - done };
		u32 got = 0;

		if (wasi_fd_read(fd, &iov, 1, &got) || !got)
			return -EIO;
		done += got;
	}
	return 0;
}

/* Open a file by its path below /, through any directory we were given that has it. Errors as WASI's. */
static int open_below_root(const char *path, u32 len, u32 *fd)
{
	struct wasi_prestat prestat;
	int err = -1;
	u32 dir;

	for (dir = WASI_FIRST_PREOPEN; err && !wasi_fd_prestat_get(dir, &prestat); dir++)
		err = wasi_path_open(dir, 0, path, len, 0, WASI_RIGHT_FD_READ | WASI_RIGHT_FD_FILESTAT_GET, 0, 0, fd);
	return err;
}

/* Into the caller's buffer of `room` bytes, or into a new one. */
static int load(struct firmware *fw, const char *name, void *buf, size_t room)
{
	struct wasi_filestat stat = {};
	char path[256];
	int len, err;
	u32 fd;

	len = snprintf(path, sizeof(path), "lib/firmware/%s", name);
	if (len >= sizeof(path))
		return -ENAMETOOLONG;
	if (open_below_root(path, len, &fd))
		return -ENOENT;
	err = wasi_fd_filestat_get(fd, &stat) ? -EIO : 0;
	if (!err && buf && stat.size > room)
		err = -EFBIG;
	if (!err && !buf) {
		buf = vmalloc(stat.size ?: 1);
		if (!buf)
			err = -ENOMEM;
		fw->priv = buf;
	}
	if (!err)
		err = read_all(fd, buf, stat.size);
	wasi_fd_close(fd);
	fw->data = buf;
	fw->size = stat.size;
	return err;
}

static int request(const struct firmware **out, const char *name, struct device *dev, void *buf, size_t room, bool quiet)
{
	struct firmware *fw;
	int err;

	*out = NULL;
	if (!name || !*name)
		return -EINVAL;
	fw = kzalloc(sizeof(*fw), GFP_KERNEL);
	if (!fw)
		return -ENOMEM;
	err = load(fw, name, buf, room);
	if (!err) {
		*out = fw;
		return 0;
	}
	if (!quiet)
		dev_warn(dev, "Direct firmware load for %s failed with error %d\n", name, err);
	release_firmware(fw);
	return err;
}

int request_firmware(const struct firmware **fw, const char *name, struct device *dev)
{
	return request(fw, name, dev, NULL, 0, false);
}

int firmware_request_nowarn(const struct firmware **fw, const char *name, struct device *dev)
{
	return request(fw, name, dev, NULL, 0, true);
}

int firmware_request_platform(const struct firmware **fw, const char *name, struct device *dev)
{
	return request(fw, name, dev, NULL, 0, false);
}

int request_firmware_direct(const struct firmware **fw, const char *name, struct device *dev)
{
	return request(fw, name, dev, NULL, 0, true);
}

int request_firmware_into_buf(const struct firmware **fw, const char *name, struct device *dev, void *buf, size_t size)
{
	return request(fw, name, dev, buf, size, false);
}

void release_firmware(const struct firmware *fw)
{
	if (!fw)
		return;
	vfree(fw->priv);
	kfree(fw);
}

/* ---- later, from a work item ---- */

struct later {
	struct work_struct work;
	struct module *module;
	struct device *dev;
	void *context;
	void (*done)(const struct firmware *fw, void *context);
	char name[];
};

static void later_run(struct work_struct *work)
{
	struct later *later = container_of(work, struct later, work);
	const struct firmware *fw;

	request(&fw, later->name, later->dev, NULL, 0, false);
	later->done(fw, later->context);
	put_device(later->dev);
	drvport_core_free(later);
}

int request_firmware_nowait(struct module *module, bool uevent, const char *name, struct device *dev, gfp_t gfp,
			    void *context, void (*done)(const struct firmware *fw, void *context))
{
	struct later *later = drvport_core_alloc(sizeof(*later) + strlen(name) + 1);

	if (!later)
		return -ENOMEM;
	strcpy(later->name, name);
	later->module = module;
	later->dev = get_device(dev);
	later->context = context;
	later->done = done;
	INIT_WORK(&later->work, later_run);
	schedule_work(&later->work);
	return 0;
}
