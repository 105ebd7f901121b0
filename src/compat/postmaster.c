/*-------------------------------------------------------------------------
 *
 * postmaster.c
 *	  What the postmaster is about to do.
 *
 * A worker is told by SIGTERM that the server stops, but anybody may send one,
 * and of two that are pending the kernel forgets one, sender and all.  So a
 * worker that has to know looks at what the postmaster does otherwise: it says
 * in its lock file whether the server runs, before it sends signals, and it
 * sends them to all processes but those that are to see the last checkpoint.
 *
 * The lock file alone does not tell: in a smart shutdown the server serves its
 * clients on, and the shutdown at a recovery target is not written there.  Nor
 * do the processes alone, of which any may just have ended and be started again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <unistd.h>

#include "access/xlog.h"
#include "miscadmin.h"
#include "utils/backend_status.h"

#include "compat/compat.h"
#include "compat/postmaster.h"

/* In the data directory, which every process is in; and what is in its line about the server. */
#define LOCK_FILE "postmaster.pid"
#define STATUS_LINE 8
#define STATUS_READY "ready"

/* Does the postmaster say that the server runs? */
static bool
says_ready(void)
{
	char		text[MAXPGPATH * 2];
	char	   *line = text;
	int			fd = open(LOCK_FILE, O_RDONLY | O_CLOEXEC);
	ssize_t		length = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;

	if (fd >= 0)
		close(fd);
	text[Max(length, 0)] = '\0';
	for (int number = 1; number < STATUS_LINE && line != NULL; number++)
	{
		line = strchr(line, '\n');
		if (line != NULL)
			line++;
	}
	return line != NULL && strncmp(line, STATUS_READY, strlen(STATUS_READY)) == 0;
}

/* Does a process of that kind live on when workers are stopped? */
static bool
outlives_workers(BackendType type)
{
	return type == B_CHECKPOINTER || type == B_ARCHIVER || type == B_WAL_SENDER ||
		compat_serves_checkpoint(type);
}

/* Is the process of such a kind?  One that has not said what it is, is not. */
static bool
pid_outlives_workers(int pid)
{
	for (int i = 1; i <= pgstat_fetch_stat_numbackends(); i++)
	{
		PgBackendStatus *status = &compat_local_beentry(i)->backendStatus;

		if (status->st_procpid == pid)
			return outlives_workers(status->st_backendType);
	}
	return false;
}

/* Is this the last one of those that are stopped together? */
static bool
is_last_worker(void)
{
	pgstat_clear_backend_activity_snapshot();
	for (int number = 0; number < compat_proc_count(); number++)
	{
		int			pid = compat_proc_pid(number);

		if (pid != 0 && pid != MyProcPid && !pid_outlives_workers(pid))
			return false;
	}
	return true;
}

/* In a worker that has got SIGTERM. */
PostmasterIntent
postmaster_intent(void)
{
	if (says_ready() && !RecoveryInProgress())
		return POSTMASTER_GOES_ON;
	return is_last_worker() ? POSTMASTER_STOPS : POSTMASTER_MAY_STOP;
}
