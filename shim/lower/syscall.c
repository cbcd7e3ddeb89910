// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls from outside of the domain: a request carries the number, the arguments and all memory that they point to,
 * which is copied in and out. The tree's own calls are made, by a thread that is meanwhile no kernel thread but a program's:
 * root, with the root directory. It may be interrupted.
 *
 * Must not know: what any call does. Arguments are words, as at the gate of any architecture, so linux/syscalls.h, which has
 * them typed, is not read here.
 */
#include <linux/init.h>
#include <linux/init_syscalls.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/task_work.h>
#include <linux/uaccess.h>
#include <linux/unistd.h>
#include "lower.h"

/* File systems that Linux's first program would mount. */
static const struct {
	const char *type, *where;
} mounts[] = {
	{ "proc", "/proc" },
	{ "sysfs", "/sys" },
	{ "debugfs", "/sys/kernel/debug" },
	{ "configfs", "/sys/kernel/config" },
	{ "drvport", "/lib/firmware" },
};

void drvport_mounts(void)
{
	unsigned int i;

	init_mkdir("/lib", 0755);
	for (i = 0; i < ARRAY_SIZE(mounts); i++) {
		init_mkdir(mounts[i].where, 0755);
		init_mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, NULL);
	}
}

/*
 * The calls there are, by how many words they take: who is asked for another answers -ENOSYS. Those for programs themselves
 * (threads, signals, where they stand, what they share) mean nothing here: each call has a thread of its own.
 */
#define CALLS(_)									\
	_(1, close) _(1, dup) _(1, fsync) _(1, fdatasync) _(1, syncfs)			\
	_(1, epoll_create1) _(1, inotify_init1) _(2, munmap) _(2, timerfd_create)	\
	_(2, listen) _(2, shutdown) _(2, pipe2) _(2, eventfd2) _(2, flock)		\
	_(3, read) _(3, write) _(3, readv) _(3, writev) _(3, ioctl) _(3, fcntl64)	\
	_(3, getdents64) _(3, mkdirat) _(3, unlinkat) _(3, symlinkat) _(3, dup3)	\
	_(3, statfs64) _(3, fchmodat) _(3, inotify_add_watch)				\
	_(3, socket) _(3, bind) _(3, connect) _(3, sendmsg) _(3, recvmsg)		\
	_(3, getsockname) _(3, getpeername)						\
	_(4, openat) _(4, openat2) _(4, readlinkat) _(4, mknodat) _(4, epoll_ctl)	\
	_(4, accept4) _(4, socketpair)							\
	_(5, llseek) _(5, statx) _(5, mount) _(5, renameat2) _(5, linkat)		\
	_(5, setsockopt) _(5, getsockopt)						\
	_(6, sendto) _(6, recvfrom) _(6, epoll_pwait)

#define WORDS1	u32
#define WORDS2	u32, WORDS1
#define WORDS3	u32, WORDS2
#define WORDS4	u32, WORDS3
#define WORDS5	u32, WORDS4
#define WORDS6	u32, WORDS5
#define ARGS1	a[0]
#define ARGS2	ARGS1, a[1]
#define ARGS3	ARGS2, a[2]
#define ARGS4	ARGS3, a[3]
#define ARGS5	ARGS4, a[4]
#define ARGS6	ARGS5, a[5]

#define GATE(name, function, ...) long gate_##name(__VA_ARGS__) __asm__("sys_" #function);
#define DECLARE(count, name) GATE(name, name, WORDS##count)
CALLS(DECLARE)
/* Of another name, or with a word of 64 bits. */
GATE(umount2, umount, WORDS2)
GATE(mmap2, mmap_pgoff, WORDS6)
GATE(ppoll_time64, ppoll, WORDS5)
GATE(timerfd_settime64, timerfd_settime, WORDS4)
GATE(pread64, pread64, u32, u32, u32, u64)
GATE(pwrite64, pwrite64, u32, u32, u32, u64)
GATE(ftruncate64, ftruncate64, u32, u64)
GATE(fallocate, fallocate, u32, u32, u64, u64)

#define LONG(i)	((u64)a[(i) + 1] << 32 | a[i])
#define CASE(count, name) case __NR_##name: return gate_##name(ARGS##count);

static long call(const struct drvport_syscall *request)
{
	const u32 *a = request->args;

	switch (request->number) {
	CALLS(CASE)
	CASE(2, umount2)
	CASE(6, mmap2)
	CASE(5, ppoll_time64)
	CASE(4, timerfd_settime64)
	case __NR_pread64:
		return gate_pread64(ARGS3, LONG(3));
	case __NR_pwrite64:
		return gate_pwrite64(ARGS3, LONG(3));
	case __NR_ftruncate64:
		return gate_ftruncate64(a[0], LONG(1));
	case __NR_fallocate:
		return gate_fallocate(ARGS2, LONG(2), LONG(4));
	}
	return -ENOSYS;
}

/* As a program that has entered the kernel: what it drops is dropped before it goes back, and it may be killed. */
static long as_program(const struct drvport_syscall *request)
{
	long result;

	allow_signal(SIGKILL);
	current->flags &= ~PF_KTHREAD;
	result = call(request);
	task_work_run();
	current->flags |= PF_KTHREAD;
	return result == -ERESTARTSYS || result == -ERESTARTNOINTR || result == -ERESTARTNOHAND ||
	       result == -ERESTART_RESTARTBLOCK ? -EINTR : result;
}

/* An offset into the memory that came with a request becomes an address of a user's. */
static bool place(u32 *word, u8 *memory, u32 bytes)
{
	if (*word > bytes)
		return false;
	*word += (u32)wasm_user_address(memory);
	return true;
}

/*
 * `data`: struct syscall, and after it the memory that arguments marked in `pointers` are offsets into; at the end of that
 * the offsets of further words in it that are such offsets.
 */
int drvport_syscall(void *data, u32 bytes)
{
	struct drvport_syscall request;
	u8 *memory = data + sizeof(request);
	u32 *within;
	u32 i;

	if (bytes < sizeof(request))
		return -EINVAL;
	memcpy(&request, data, sizeof(request));
	bytes -= sizeof(request);
	if (request.within > bytes / sizeof(u32))
		return -EINVAL;
	bytes -= request.within * sizeof(u32);
	within = (u32 *)(memory + bytes);
	for (i = 0; i < request.within; i++)
		if (bytes < sizeof(u32) || within[i] > bytes - sizeof(u32) || within[i] % sizeof(u32) ||
		    !place((u32 *)(memory + within[i]), memory, bytes))
			return -EFAULT;
	for (i = 0; i < ARRAY_SIZE(request.args); i++)
		if (request.pointers & (1u << i) && !place(&request.args[i], memory, bytes))
			return -EFAULT;
	return as_program(&request);
}
