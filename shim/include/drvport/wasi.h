/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few calls of WASI preview 1 that the shim makes: arguments, and files to read. Errors are positive errno of
 * WASI's own numbering; 0 is success.
 */
#ifndef DRVPORT_WASI_H
#define DRVPORT_WASI_H

#include <linux/types.h>

#define WASI(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))

WASI(args_sizes_get) int wasi_args_sizes_get(u32 *count, u32 *bytes);
WASI(args_get) int wasi_args_get(char **argv, char *text);

struct wasi_iovec {
	void *base;
	u32 len;
};

struct wasi_filestat {
	u64 dev, ino;
	u8 filetype;
	u64 nlink, size, atim, mtim, ctim;
};

#define WASI_RIGHT_FD_READ 2ULL
#define WASI_RIGHT_FD_FILESTAT_GET (1ULL << 21)
#define WASI_FIRST_PREOPEN 3

struct wasi_prestat {
	u8 tag; /* 0: a directory */
	u32 name_len;
};

WASI(fd_prestat_get) int wasi_fd_prestat_get(u32 fd, struct wasi_prestat *prestat);
WASI(path_open)
int wasi_path_open(int dirfd, u32 dirflags, const char *path, u32 path_len, u32 oflags, u64 rights, u64 inheriting,
		   u32 fdflags, u32 *fd);
WASI(fd_read) int wasi_fd_read(u32 fd, const struct wasi_iovec *iov, u32 count, u32 *got);
WASI(fd_filestat_get) int wasi_fd_filestat_get(u32 fd, struct wasi_filestat *stat);
WASI(fd_close) int wasi_fd_close(u32 fd);

#undef WASI
#endif
