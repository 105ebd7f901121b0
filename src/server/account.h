/*-------------------------------------------------------------------------
 *
 * account.h
 *	  How much memory this process holds, for itself and for others to see.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_ACCOUNT_H
#define JEMCTX_ACCOUNT_H

#include "postgres.h"

#include "port/atomics.h"

/*
 * Written by the process with the PGPROC of the same number only, read by
 * everybody without a lock.  It means something while pid is that process's.
 */
typedef struct Account
{
	pg_atomic_uint32 pid;
	pg_atomic_uint64 committed; /* bytes, now */
	pg_atomic_uint64 peak;		/* the most it has been */
	pg_atomic_uint64 inherited; /* what of it was there at the fork */
	pg_atomic_uint64 most_own;	/* the most that it has had beside that */
	pg_atomic_uint64 refused;	/* allocations denied */
	pg_atomic_uint64 claimed;	/* bytes that it is about to commit, or has just committed */
} Account;

extern void account_enter(void);
extern bool account_is_librarys(void);
extern void account_change(int64 bytes);
extern void account_limit_inherited(Size most);
extern void account_refuse(void);
extern void account_claim(Size bytes);
extern Size account_committed(void);
extern Size account_inherited(void);
extern Size account_still_inherited(void);
extern Size account_processes(void);
extern Size account_server(void);
extern Account *account_of(int number, int *pid);

#endif							/* JEMCTX_ACCOUNT_H */
