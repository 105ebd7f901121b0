/*-------------------------------------------------------------------------
 *
 * reserve.c
 *	  What a session can do whatever the limits are.
 *
 * Everybody can connect.  Whoever then cannot carry out a single statement
 * cannot undo the limit that is why, either.  So there is a least limit, below
 * which no session could live, and superusers' sessions may have a little more
 * than they began with, whatever their limit, and the server's: that is enough
 * to look at views, end other sessions, change settings and reload them.
 *
 * reserve_admits() is called from extent hooks: it may not raise errors,
 * allocate, or take locks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "compat/compat.h"
#include "server/account.h"
#include "server/reserve.h"

/* A session has more than this before it has answered the first statement. */
#define SMALLEST_SESSION ((Size) 2 * 1024 * 1024)

/* What a superuser's may have beyond what it began with. */
#define RESERVE ((Size) 4 * 1024 * 1024)

/*
 * Bytes that the process held when it first grew after it had started, and which
 * process that was.
 */
static Size began_with;
static int	began_pid;

/* No limit of a backend's below this leaves it enough for any statement. */
Size
reserve_least_limit(void)
{
	return account_inherited() + SMALLEST_SESSION;
}

/* May this process have so many bytes more without regard to limits? */
bool
reserve_admits(Size bytes)
{
	Size		held = account_committed();

	if ((MyBackendType != B_BACKEND && MyBackendType != B_WAL_SENDER) || !IsNormalProcessingMode())
		return false;
	if (unlikely(began_pid != MyProcPid))
	{
		began_with = held;
		began_pid = MyProcPid;
	}
	return held + bytes <= began_with + RESERVE && compat_is_superuser();
}
