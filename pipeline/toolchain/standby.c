/* SPDX-License-Identifier: MIT */
/*
 * A compiler that stands by. Preloaded into a program (clang, wasm-ld), it takes the place of its main(): libraries are
 * mapped, relocated and initialised once, and each job is the program's own main() in a fork of that state. Nothing of
 * the program is changed, and no job sees another.
 *
 * Jobs come on standard input: struct job, then its texts, each ended by a zero byte: directory, argv[0], argv[1]...
 * Answers go to standard output: "r" once it is ready; "s ID PID" when a job is started; "e ID STATUS BYTES" when it has
 * ended, with wait()'s status, followed by that many bytes of what it said. It ends with its input, and its jobs with it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOBS_MAX 64
#define OUTPUT_MAX (1 << 20)

struct job {
	uint32_t id;
	/* Of the texts. */
	uint32_t bytes, count;
	/* Seconds of processor time, and bytes of address space; 0: without limits. */
	uint32_t cpu_seconds;
	uint64_t memory;
};

typedef int main_function(int, char **, char **);
typedef int start_function(main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *);

static main_function *program;
static struct running { pid_t pid; uint32_t id; int output; } jobs[JOBS_MAX];

static int read_whole(int file, void *to, size_t bytes)
{
	for (char *at = to; bytes > 0;) {
		ssize_t got = read(file, at, bytes);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return 0;
		at += got;
		bytes -= got;
	}
	return 1;
}

static void answer(const char *text, size_t bytes)
{
	while (bytes > 0) {
		ssize_t put = write(STDOUT_FILENO, text, bytes);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			_exit(EXIT_FAILURE);
		text += put;
		bytes -= put;
	}
}

static void limit(int resource, rlim_t soft, rlim_t hard)
{
	setrlimit(resource, &(struct rlimit){ soft, hard });
}

/* In the fork: what a process begins with when it is spawned. */
static void run(const struct job *job, char *texts, int output)
{
	char **argv = calloc(job->count, sizeof(*argv));
	char *at = texts + strlen(texts) + 1;
	int argc = 0, nothing = open("/dev/null", O_RDONLY);
	sigset_t none;

	for (uint32_t i = 1; i < job->count; i++, at += strlen(at) + 1)
		argv[argc++] = at;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(nothing, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	close(nothing);
	if (chdir(texts) != 0) {
		dprintf(STDERR_FILENO, "%s: %s\n", texts, strerror(errno));
		_exit(127);
	}
	if (job->cpu_seconds > 0) {
		limit(RLIMIT_CPU, job->cpu_seconds, job->cpu_seconds + 5);
		limit(RLIMIT_AS, job->memory, job->memory);
		limit(RLIMIT_CORE, 0, 0);
	}
	exit(program(argc, argv, environ));
}

static void start(void)
{
	struct job job;
	struct running *slot = jobs;
	char line[64], *texts;

	if (!read_whole(STDIN_FILENO, &job, sizeof(job)) || !(texts = malloc(job.bytes)) ||
	    !read_whole(STDIN_FILENO, texts, job.bytes))
		_exit(EXIT_SUCCESS);
	while (slot->pid != 0)
		if (++slot == jobs + JOBS_MAX)
			_exit(EXIT_FAILURE);
	slot->id = job.id;
	slot->output = memfd_create("output", MFD_CLOEXEC);
	fcntl(slot->output, F_SETFL, O_APPEND);
	slot->pid = fork();
	if (slot->pid < 0)
		_exit(EXIT_FAILURE);
	if (slot->pid == 0)
		run(&job, texts, slot->output);
	free(texts);
	/* A group of its own can be killed whole. Here, so that it is one before anybody knows its number. */
	setpgid(slot->pid, slot->pid);
	answer(line, snprintf(line, sizeof(line), "s %u %d\n", job.id, slot->pid));
}

static void ended(struct running *job, int status)
{
	static char text[OUTPUT_MAX];
	off_t size = lseek(job->output, 0, SEEK_END);
	char line[64];

	if (size > OUTPUT_MAX)
		size = OUTPUT_MAX;
	lseek(job->output, 0, SEEK_SET);
	if (!read_whole(job->output, text, size))
		_exit(EXIT_FAILURE);
	close(job->output);
	job->pid = 0;
	answer(line, snprintf(line, sizeof(line), "e %u %d %ld\n", job->id, status, (long)size));
	answer(text, size);
}

static void reap(void)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (struct running *job = jobs; job < jobs + JOBS_MAX; job++)
			if (job->pid == pid)
				ended(job, status);
}

static int stand_by(int argc, char **argv, char **envp)
{
	struct signalfd_siginfo info;
	sigset_t child;
	int children;

	(void)argc, (void)argv, (void)envp;
	unsetenv("LD_PRELOAD");
	unsetenv("LD_BIND_NOW");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Ctrl-C on a terminal is for who gave the jobs. */
	signal(SIGINT, SIG_IGN);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	children = signalfd(-1, &child, SFD_CLOEXEC);
	answer("r\n", 2);
	for (;;) {
		struct pollfd files[] = { { STDIN_FILENO, POLLIN, 0 }, { children, POLLIN, 0 } };

		if (poll(files, 2, -1) < 0)
			continue;
		if (files[1].revents != 0 && read_whole(children, &info, sizeof(info)))
			reap();
		if (files[0].revents != 0)
			start();
	}
}

/* Comes before libc's in the order of look-up. */
int __libc_start_main(main_function *main, int argc, char **argv, void (*init)(void), void (*fini)(void),
		      void (*rtld_fini)(void), void *stack_end)
{
	start_function *libc = (start_function *)dlsym(RTLD_NEXT, "__libc_start_main");

	program = main;
	return libc(stand_by, argc, argv, init, fini, rtld_fini, stack_end);
}
