/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox_probe.c - what can be done inside the sandbox of the offline commands.
 *
 *	sandbox_probe LAYERS ACTION [ARG]	LAYERS: off, landlock, seccomp, both, or
 *						folder: both, but for that of ARG
 *	sandbox_probe sweep			numbers of the calls that are never killed
 *	sandbox_probe version			of Landlock, 0: none
 *	sandbox_probe without LAYER COMMAND...	as on a kernel that lacks a layer
 *
 * Exit code: 0 the action worked, 10 it was refused (EACCES or EPERM), 20 it
 * failed otherwise, 30 the layers are not to be had, 2 wrong usage.
 */
#include "landlock.h"
#include "sandbox.h"
#include "sandbox_actions.h"
#include "seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKED 0
#define USAGE 2
#define REFUSED 10
#define FAILED 20
#define LACKING 30

#define LANDLOCK_CREATE 444	/* landlock_create_ruleset, everywhere */

static int enter(const char *layers, pid_t owned)
{
	struct reason why;
	int error;

	if (!strcmp(layers, "off"))
		return 0;
	if (!strcmp(layers, "both") || !strcmp(layers, "folder")) {
		int folder = -1;

		if (!strcmp(layers, "folder")) {
			char path[4096];

			/* Not every action's argument is a path. */
			snprintf(path, sizeof(path), "%s", *arg == '/' ? arg : "./x");
			folder = open(dirname(path), O_PATH | O_DIRECTORY | O_CLOEXEC);
			if (folder < 0)
				return -1;
		}
		if (!sandbox_enter(owned, folder, &why))
			return 0;
		printf("%s\n", why.text);
		return -1;
	}
	error = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? errno
		: !strcmp(layers, "landlock")		 ? landlock_enter(owned > 0, -1)
		: !strcmp(layers, "seccomp")		 ? seccomp_enter(owned, false)
							 : EINVAL;
	if (error)
		printf("%s: %s\n", layers, strerror(error));
	return error ? -1 : 0;
}

static int act(const char *layers, const char *name)
{
	for (size_t i = 0; i < n_actions; i++) {
		const struct action *a = &actions[i];
		int error;

		if (strcmp(a->name, name))
			continue;
		if (prepare()) {
			perror("sandbox_probe: cannot prepare");
			return FAILED;
		}
		if (enter(layers, a->owned ? child : 0)) {
			fflush(stdout);
			return LACKING;
		}
		error = a->run() < 0 ? errno : 0;
		if (error == EACCES || error == EPERM)
			return REFUSED;
		if (error) {
			fprintf(stderr, "%s: %s\n", name, strerror(error));
			return FAILED;
		}
		return WORKED;
	}
	fprintf(stderr, "sandbox_probe: no action '%s'\n", name);
	return USAGE;
}

/* Every call there is or may be, with arguments of which each bit is set. */
static int sweep(void)
{
	for (int nr = 0; nr < 1024; nr++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			const struct rlimit no_core = { 0, 0 };

			setrlimit(RLIMIT_CORE, &no_core);
			if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || seccomp_enter(0, false))
				_exit(LACKING);
			syscall(nr, -1L, -1L, -1L, -1L, -1L, -1L);
			_exit(0);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			return FAILED;
		if (WIFEXITED(status) && WEXITSTATUS(status) == LACKING)
			return LACKING;
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			printf("%d\n", nr);
	}
	return WORKED;
}

/* The call by which the layer is entered says from now on that it does not exist. */
static int without(const char *layer, char **command)
{
	const bool landlock = !strcmp(layer, "landlock");
	const unsigned nr = landlock ? LANDLOCK_CREATE : __NR_seccomp;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	if ((!landlock && strcmp(layer, "seccomp")) || !command[0])
		return USAGE;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog))
		return LACKING;
	execv(command[0], command);
	return FAILED;
}

static int version(void)
{
	long n = syscall(LANDLOCK_CREATE, NULL, 0, 1u);

	printf("%ld\n", n < 0 ? 0 : n);
	return WORKED;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "sweep"))
		return sweep();
	if (argc == 2 && !strcmp(argv[1], "version"))
		return version();
	if (argc > 3 && !strcmp(argv[1], "without"))
		return without(argv[2], argv + 3);
	if (argc != 3 && argc != 4) {
		fprintf(stderr, "usage: see the head of sandbox_probe.c\n");
		return USAGE;
	}
	arg = argc == 4 ? argv[3] : "";
	return act(argv[1], argv[2]);
}
