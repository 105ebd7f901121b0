/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  What differs between PostgreSQL's majors.
 *
 * This room is the only place that looks at PG_VERSION_NUM.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_COMPAT_H
#define JEMCTX_COMPAT_H

#include "postgres.h"

#include "access/parallel.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/procsignal.h"
#include "tcop/pquery.h"
#include "utils/guc.h"
#include "utils/memutils.h"

/*
 * 14 lacks InitMaterializedSRF and MarkGUCPrefixReserved, and 20 is not there
 * to be tried.
 */
#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 200000
#error "jemctx supports PostgreSQL 15 to 19"
#endif

/*
 * It calls a method of every context then, which ours have in checking builds.
 * To define it here would leave out files that do not include this one.
 */
#if defined(MEMORY_CONTEXT_CHECKING) && !defined(JEMCTX_CHECKING)
#error "this server checks memory contexts: build jemctx with CHECKING=1"
#endif

/*
 * Declare a function that SQL calls.  PG_FUNCTION_INFO_V1 exports the function
 * itself from 16 on only.
 */
#define COMPAT_FUNCTION(name) \
extern PGDLLEXPORT Datum name(PG_FUNCTION_ARGS); \
PG_FUNCTION_INFO_V1(name)

/* 17 has no number in a PGPROC, which has its place in an array. */
#if PG_VERSION_NUM >= 170000
#define COMPAT_NUMBER_OF(proc) GetNumberFromPGProc(proc)
#else
#define COMPAT_NUMBER_OF(proc) ((proc)->pgprocno)
#endif

/* The number of this process's PGPROC; -1 before it has one, and when it has none any more. */
static inline int
compat_proc_number(void)
{
	return MyProc != NULL ? COMPAT_NUMBER_OF(MyProc) : -1;
}

/* PGPROCs that processes can have: those of prepared transactions follow. */
static inline int
compat_proc_count(void)
{
	return MaxBackends + NUM_AUXILIARY_PROCS;
}

/* The pid of the process that has a PGPROC, 0 for none; its latch is disowned last. */
static inline int
compat_proc_pid(int number)
{
	return ProcGlobal->allProcs[number].procLatch.owner_pid;
}

/* Send a process one of PostgreSQL's signals; nobody gets it when the process has ended. */
static inline void
compat_send_signal(const PGPROC *proc, int pid, ProcSignalReason reason)
{
#if PG_VERSION_NUM >= 170000
	SendProcSignal(pid, reason, GetNumberFromPGProc(proc));
#else
	SendProcSignal(pid, reason, proc->backendId);
#endif
}

/*
 * Have a process that is idle begin and end a transaction; or come by its
 * latch, if it has none.  From 17 on its PGPROC does not tell which it is.
 */
static inline void
compat_wake(PGPROC *proc)
{
#if PG_VERSION_NUM >= 170000
	compat_send_signal(proc, proc->pid, PROCSIG_CATCHUP_INTERRUPT);
	SetLatch(&proc->procLatch);
#else
	if (proc->backendId != InvalidBackendId)
		compat_send_signal(proc, proc->pid, PROCSIG_CATCHUP_INTERRUPT);
	else
		SetLatch(&proc->procLatch);
#endif
}

/* Read the messages of parallel workers, if there are any, and the context that this is done in. */
#if PG_VERSION_NUM >= 180000
#define compat_handle_messages() ProcessParallelMessages()
#define COMPAT_MESSAGES_CONTEXT "ProcessParallelMessages"
#else
#define compat_handle_messages() HandleParallelMessages()
#define COMPAT_MESSAGES_CONTEXT "HandleParallelMessages"
#endif

/* What the process with that place in the array of pgstat_fetch_stat_numbackends() is. */
#if PG_VERSION_NUM >= 160000
#define compat_local_beentry(index) pgstat_get_local_beentry_by_index(index)
#else
#define compat_local_beentry(index) pgstat_fetch_stat_local_beentry(index)
#endif

/* Is a process of that kind there for others that write the last checkpoint? */
static inline bool
compat_serves_checkpoint(BackendType type)
{
#if PG_VERSION_NUM >= 180000
	return type == B_IO_WORKER;
#else
	return false;
#endif
}

/* A tranche of lightweight locks with that name, in the postmaster. */
static inline int
compat_new_tranche(const char *name)
{
#if PG_VERSION_NUM >= 190000
	return LWLockNewTrancheId(name);
#else
	int			tranche = LWLockNewTrancheId();

	LWLockRegisterTranche(tranche, name);
	return tranche;
#endif
}

/* What a module has to say of itself. */
#if PG_VERSION_NUM >= 180000
#define COMPAT_MODULE_MAGIC(module, release) PG_MODULE_MAGIC_EXT(.name = module, .version = release)
#else
#define COMPAT_MODULE_MAGIC(module, release) PG_MODULE_MAGIC
#endif

/*
 * Is a check hook called for a statement, which its refusal is an ERROR for?
 * Of a setting that is read at the start only, that is ALTER SYSTEM.  At the
 * start PostgreSQL would go on with the default, and at a reload with what is
 * in force.
 */
static inline bool
compat_statement_runs(void)
{
	return ActivePortal != NULL;
}

/* Has the session a superuser's rights?  Reads a variable: may be called anywhere. */
static inline bool
compat_is_superuser(void)
{
#if PG_VERSION_NUM >= 170000
	return current_role_is_superuser;
#else
	return session_auth_is_superuser;
#endif
}

#endif							/* JEMCTX_COMPAT_H */
