/*-------------------------------------------------------------------------
 *
 * child.c
 *	  A child of a backend's, such as a library makes that knows nothing of
 *	  PostgreSQL.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

PG_FUNCTION_INFO_V1(jemctx_test_child);

/* Take memory, tell that we have it, and keep it until somebody kills us, or our parent ends. */
static void
run_child(int tell, Size bytes)
{
	char	   *memory = malloc(bytes);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (memory != NULL)
	{
		memset(memory, 1, bytes);
		(void) !write(tell, "", 1);
	}
	for (;;)
		pause();
}

Datum
jemctx_test_child(PG_FUNCTION_ARGS)
{
	int			fds[2];
	char		told;
	pid_t		pid;

	check(pipe(fds) == 0);
	pid = fork();
	if (pid == 0)
		run_child(fds[1], PG_GETARG_INT32(0));
	close(fds[1]);
	check(pid > 0 && read(fds[0], &told, 1) == 1);
	close(fds[0]);
	PG_RETURN_INT32(pid);
}
