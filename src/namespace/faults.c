/*-------------------------------------------------------------------------
 *
 * faults.c
 *	  Failures on demand, for tests.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>
#include <unistd.h>

#include "namespace/faults.h"

void
fault_die(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

/* The countdown-th time that something comes by it will fail; 0 for never. */
void
jemctx_namespace_fault(int fault, uint32 countdown)
{
	shared_require();
	if (fault < 0 || fault >= FAULTS)
		elog(ERROR, "no such fault: %d", fault);
	pg_atomic_write_u32(&control->faults[fault], countdown);
}
