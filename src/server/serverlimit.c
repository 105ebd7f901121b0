/*-------------------------------------------------------------------------
 *
 * serverlimit.c
 *	  The limit of the whole server, and what of it is reserved.
 *
 * A limit that somebody has set is one to what all processes have committed.
 * Without one, growth is refused when the machine, or a control group, would
 * have less available than the reserve.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "utils/guc.h"

#include "server/reserve.h"
#include "server/serverlimit.h"

#define KB ((Size) 1024)
#define MB (KB * 1024)

#define AUTOMATIC (-1)

/* Of memory, if nothing else is set: a part, not less than some, nor more than another part. */
#define RESERVE_DIVISOR 50
#define RESERVE_LEAST (32 * MB)
#define RESERVE_MOST_DIVISOR 4

/* What those it is for leave when there is nothing but what the kernel has available. */
#define LEFT_DIVISOR 4
#define LEFT_MOST (8 * MB)

/* Settings, in kB */
int			server_memory_limit;
static int	reserved_memory;

/* What is reserved of so much memory, in bytes. */
Size
serverlimit_reserve_of(Size memory)
{
	if (reserved_memory != AUTOMATIC)
		return reserved_memory * KB;
	return Min(Max(memory / RESERVE_DIVISOR, RESERVE_LEAST), memory / RESERVE_MOST_DIVISOR);
}

/*
 * And what of that this process may not have.  Of the machine those whom it is
 * reserved for leave a little, too: what a new process takes is not refused.
 */
Size
serverlimit_kept_of(Size memory)
{
	Size		reserve = serverlimit_reserve_of(memory);

	if (!reserve_is_ours())
		return reserve;
	return serverlimit_is_automatic() ? Min(reserve / LEFT_DIVISOR, LEFT_MOST) : 0;
}

/* In the postmaster. */
void
serverlimit_enter(void)
{
	DefineCustomIntVariable("jemctx.server_memory_limit",
							"Sets the most memory that all processes and namespaces "
							"together may have.",
							"A statement that needs more ends with an error. -1 refuses what would "
							"leave the machine, or a control group of the server, less than is "
							"reserved; 0 sets no limit.",
							&server_memory_limit, SERVERLIMIT_AUTOMATIC, SERVERLIMIT_AUTOMATIC,
							MAX_KILOBYTES,
							PGC_SIGHUP, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("jemctx.reserved_memory",
							"Sets how much of the server's limit only superusers and members of "
							"pg_monitor and pg_signal_backend may use.",
							"-1 is for 2 % of the limit, or of what the machine or control group "
							"has, but at least 32 MB.",
							&reserved_memory, AUTOMATIC, AUTOMATIC, MAX_KILOBYTES,
							PGC_SIGHUP, GUC_UNIT_KB, NULL, NULL, NULL);
}
