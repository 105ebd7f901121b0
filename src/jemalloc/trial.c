/*-------------------------------------------------------------------------
 *
 * trial.c
 *	  Try in a child process what might end this one, or never end.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "miscadmin.h"
#include "storage/ipc.h"

#include "compat/clock.h"
#include "jemalloc/trial.h"

/* How often we look whether to go on, and when the child has nothing more to say. */
#define LOOK_MS 50
#define LAST_LOOK_MS 1

static void
fail(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYSTEM_ERROR),
			 errmsg("could not %s for a trial: %m", what)));
}

/* The postmaster has its signals blocked while it starts, a backend has handlers. */
static bool
is_interrupted(void)
{
	sigset_t	pending;

	if (QueryCancelPending || ProcDiePending)
		return true;
	sigpending(&pending);
	return sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT) ||
		sigismember(&pending, SIGQUIT);
}

/* Keep what the child says, as far as there is room; false when nothing more will come. */
static bool
read_some(Trial *trial, int fd, size_t *length)
{
	char		buffer[256];
	ssize_t		got = read(fd, buffer, sizeof(buffer));

	if (got <= 0)
		return got < 0 && errno == EINTR;
	got = Min(got, sizeof(trial->said) - 1 - *length);
	memcpy(trial->said + *length, buffer, got);
	*length += got;
	return true;
}

/* Hear what there is to hear: for a while, or all that is there when the child has ended. */
static void
listen_to(Trial *trial, struct pollfd *readable, size_t *length, bool ended)
{
	int			timeout = readable->fd < 0 ? LAST_LOOK_MS : LOOK_MS;

	while (poll(readable, 1, ended ? 0 : timeout) > 0)
	{
		if (!read_some(trial, readable->fd, length))
			readable->fd = -1;
		if (!ended || *length == sizeof(trial->said) - 1)
			break;
	}
}

/*
 * Listen to the child until it ends, or is to be ended.  It may close its
 * output and go on, or end and leave that to a child of its own.
 */
static TrialEnd
attend(Trial *trial, pid_t pid, int fd)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	size_t		length = 0;
	int64		deadline = clock_ms() + (int64) TRIAL_SECONDS * 1000;

	memset(trial->said, 0, sizeof(trial->said));
	while (clock_ms() < deadline)
	{
		bool		ended = waitpid(pid, &trial->status, WNOHANG) == pid;

		listen_to(trial, &readable, &length, ended);
		if (ended)
			return TRIAL_ENDED;
		if (is_interrupted())
			return TRIAL_INTERRUPTED;
	}
	return TRIAL_HUNG;
}

/*
 * In the child, which must not live longer than who is waiting for it, nor, if
 * something calls exit(), end in shared memory what is its parent's.
 */
static void
act_in_child(int fd, void (*act) (const void *arg), const void *arg)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	on_exit_reset();
	if (dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0)
	{
		act(arg);
		_exit(0);
	}
	_exit(1);
}

/* No handler of this process's may run in the child. */
static pid_t
fork_blocked(void)
{
	sigset_t	all;
	sigset_t	before;
	pid_t		pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid != 0)
		sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

static void
kill_child(Trial *trial, pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, &trial->status, 0) < 0 && errno == EINTR)
		;
}

void
trial_run(Trial *trial, void (*act) (const void *arg), const void *arg)
{
	int			fds[2];
	pid_t		pid;
	struct sigaction by_default = {.sa_handler = SIG_DFL};
	struct sigaction before;

	(void) fflush(NULL);
	if (pipe2(fds, O_CLOEXEC) != 0)
		fail("make a pipe");
	/* where it is ignored, as we may have been started, nobody learns the status */
	sigaction(SIGCHLD, &by_default, &before);
	pid = fork_blocked();
	if (pid == 0)
		act_in_child(fds[1], act, arg);
	close(fds[1]);
	if (pid > 0)
	{
		trial->end = attend(trial, pid, fds[0]);
		if (trial->end != TRIAL_ENDED)
			kill_child(trial, pid);
	}
	close(fds[0]);
	sigaction(SIGCHLD, &before, NULL);
	if (pid < 0)
		fail("fork a process");
}
