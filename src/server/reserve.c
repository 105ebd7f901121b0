/*-------------------------------------------------------------------------
 *
 * reserve.c
 *	  What a session can do whatever the limits are.
 *
 * Whoever connects and cannot carry out a single statement cannot undo the
 * limit that is why, either.  So there is a least limit, below which no session
 * could live.  And superusers, and members of the roles that look after the
 * server and its sessions, have what is reserved of the server's limit, and may
 * have a little more than they began with, whatever their limit, and the
 * server's: that is enough to look at views, end other sessions, change
 * settings and reload them.
 *
 * Who is a member is found out in the transaction in which PostgreSQL starts
 * the session, since no catalog can be read where memory is refused; and it
 * costs one look into a catalog, where PostgreSQL looks into several.
 *
 * reserve_admits() and reserve_is_ours() are called from extent hooks: they may
 * not raise errors, allocate, or take locks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "utils/acl.h"

#include "compat/compat.h"
#include "server/account.h"
#include "server/reserve.h"

/* A session has more than this before it has answered the first statement. */
#define SMALLEST_SESSION ((Size) 2 * 1024 * 1024)

/* What those whom the reserve is for may have beyond what they began with. */
#define RESERVE ((Size) 4 * 1024 * 1024)

/*
 * Bytes that the process held when it first grew after it had started, and which
 * process that was.
 */
static Size began_with;
static int	began_pid;

/* Is the session's user a member of the roles that look after the server?  0 until it is known. */
static int	member_pid;
static bool is_member;

/* No limit of a backend's below this leaves it enough for any statement. */
Size
reserve_least_limit(void)
{
	return account_inherited() + SMALLEST_SESSION;
}

/* May this process use what is reserved? */
bool
reserve_is_ours(void)
{
	return compat_is_superuser() || (is_member && member_pid == MyProcPid);
}

/* PostgreSQL is about to have started the session. */
static void
find_member(XactEvent event, void *arg)
{
	Oid			user;

	if (likely(member_pid == MyProcPid) || event != XACT_EVENT_PRE_COMMIT ||
		!(MyBackendType == B_BACKEND || IsParallelWorker()))
		return;
	user = GetSessionUserId();
	is_member = has_privs_of_role(user, ROLE_PG_MONITOR) ||
		has_privs_of_role(user, ROLE_PG_SIGNAL_BACKEND);
	member_pid = MyProcPid;
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
	return held + bytes <= began_with + RESERVE && reserve_is_ours();
}

/* In the postmaster. */
void
reserve_enter(void)
{
	RegisterXactCallback(find_member, NULL);
}
