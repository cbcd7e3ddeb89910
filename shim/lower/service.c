// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests of the machine: load this module, take this function, open this interface. The machine says that there are
 * some by an interrupt; the first task fetches them, and each is carried out by a thread of its own, so that one that
 * waits holds nobody up.
 */
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/init.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>
#include "lower.h"
#include "irq.h"

struct job {
	struct list_head list;
	struct task_struct *task;
	struct drvport_request request;
	/* What came with it, where whole sectors of it can lie as O_DIRECT wants them: the machine sees to the rest. */
	u8 data[] __aligned(512);
};

static LIST_HEAD(jobs);
static DEFINE_SPINLOCK(jobs_lock);
static DECLARE_WAIT_QUEUE_HEAD(wanted);
static bool pending;

void drvport_request_pending(void)
{
	pending = true;
	wake_up(&wanted);
}

static int carry_out(struct job *job)
{
	switch (job->request.kind) {
	case DRVPORT_REQUEST_LOAD:
		return drvport_module_load((u32)job->data);
	case DRVPORT_REQUEST_UNLOAD:
		return drvport_module_unload((u32)job->data);
	case DRVPORT_REQUEST_PCI_ADD:
		return drvport_pci_add(job->request.args[0]);
	case DRVPORT_REQUEST_PCI_REMOVE:
		drvport_pci_remove(job->request.args[0]);
		return 0;
	case DRVPORT_REQUEST_NUB_ADD:
		return drvport_nub_add((void *)job->data);
	case DRVPORT_REQUEST_NUB_REMOVE:
		drvport_nub_remove(job->request.args[0]);
		return 0;
	case DRVPORT_REQUEST_SYSCALL:
		return drvport_syscall(job->data, job->request.bytes);
	case DRVPORT_REQUEST_HEARTBEAT:
		return drvport_heartbeat((void *)job->data, job->request.bytes);
	}
	return -EOPNOTSUPP;
}

static int run(void *data)
{
	/* Threads of recent kernels begin at an empty root. Programs are served at the first task's, each on a copy. */
	const struct fs_struct *first = init_pid_ns.child_reaper->fs;
	struct job *job = data;
	int result = unshare_fs_struct();

	kthread_use_mm(drvport_program);
	if (!result) {
		set_fs_root(current->fs, &first->root);
		set_fs_pwd(current->fs, &first->root);
		result = carry_out(job);
	}
	kthread_unuse_mm(drvport_program);
	spin_lock(&jobs_lock);
	list_del(&job->list);
	spin_unlock(&jobs_lock);
	drvport_call_done(job->request.id, result, (u32)job->data);
	vfree(job);
	return 0;
}

/* Whoever waits for what may never come is woken as a program that is killed would be. */
static void cancel(const struct drvport_request *request)
{
	struct job *job;

	spin_lock(&jobs_lock);
	list_for_each_entry(job, &jobs, list)
		if (job->request.id == request->args[0])
			send_sig(SIGKILL, job->task, 1);
	spin_unlock(&jobs_lock);
	drvport_call_done(request->id, 0, 0);
}

static void begin(const struct drvport_request *request)
{
	/* Pages of its own, which others may take hold of. */
	struct job *job = vmalloc(struct_size(job, data, request->bytes));

	if (!job)
		return drvport_call_done(request->id, -ENOMEM, 0);
	job->request = *request;
	if (request->bytes)
		drvport_call_data(request->id, (u32)job->data);
	job->task = kthread_create(run, job, "request/%u", request->id);
	if (IS_ERR(job->task)) {
		drvport_call_done(request->id, PTR_ERR(job->task), 0);
		return vfree(job);
	}
	spin_lock(&jobs_lock);
	list_add(&job->list, &jobs);
	spin_unlock(&jobs_lock);
	wake_up_process(job->task);
}

static void __noreturn serve(void)
{
	struct drvport_request request;

	for (;;) {
		wait_event(wanted, pending);
		pending = false;
		while (drvport_call_take((u32)&request)) {
			if (request.kind == DRVPORT_REQUEST_CANCEL)
				cancel(&request);
			else
				begin(&request);
		}
	}
}

void __noreturn drvport_serve(void)
{
	drvport_mounts();
	drvport_user_begin();
	drvport_sched_ready();
	serve();
}

/* Whoever begins from an image has the random state of all others that did: it is keyed anew, from what is the domain's own. */
void __noreturn drvport_go_on(void)
{
	drvport_seed();
	urandom_fops.unlocked_ioctl(NULL, RNDRESEEDCRNG, 0);
	serve();
}

/* Recent trees declare it for their module loader alone. */
extern char modprobe_path[];

/*
 * Nothing runs programs here: what asks for a helper hears that there is none. But for modprobe, whose last argument is a
 * module's name, and the first task, which goes on as drvport_serve(): see task.c.
 */
int kernel_execve(const char *name, const char *const *argv, const char *const *envp)
{
	if (is_global_init(current))
		return 0;
	if (!argv || !argv[0] || strcmp(argv[0], modprobe_path))
		return -ENOENT;
	while (argv[1])
		argv++;
	return drvport_module_find(*argv);
}
