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
#include "storage/proc.h"
#include "storage/procsignal.h"
#include "tcop/pquery.h"
#include "utils/guc.h"
#include "utils/memutils.h"

/*
 * PostgreSQL 16 replaced the context pointer before a chunk by a method id
 * and a table that extensions cannot register in; 14 lacks
 * InitMaterializedSRF and MarkGUCPrefixReserved.
 */
#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 160000
#error "jemctx supports PostgreSQL 15"
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

/* How palloc, pfree and repalloc find a context's methods, for jemctx_info. */
#define COMPAT_DISPATCH "vtable"

/*
 * Fill and link the header of a context, whose own fields are set already;
 * nothing in here can throw.  Core's assertions accept only the tags of its
 * own contexts, so ours call themselves AllocSets; nobody else looks at it.
 */
static inline void
compat_context_create(MemoryContext node, const MemoryContextMethods *methods,
					  MemoryContext parent, const char *name)
{
	MemoryContextCreate(node, T_AllocSetContext, methods, parent, name);
}

/* The methods of a type of context, which are called after it: other majors have others. */
#define COMPAT_METHODS(Type) \
	.alloc = Type##Alloc, \
	.free_p = Type##Free, \
	.realloc = Type##Realloc, \
	.reset = Type##Reset, \
	.delete_context = Type##Delete, \
	.get_chunk_space = Type##GetChunkSpace, \
	.is_empty = Type##IsEmpty, \
	.stats = Type##Stats

/* For a type that has nothing to check, where PostgreSQL calls a method for it. */
#ifdef MEMORY_CONTEXT_CHECKING
static inline void
compat_check_nothing(MemoryContext context)
{
}
#define COMPAT_CHECK_NOTHING .check = compat_check_nothing,
#else
#define COMPAT_CHECK_NOTHING
#endif

/* The number of this process's PGPROC; -1 before it has one, and when it has none any more. */
static inline int
compat_proc_number(void)
{
	return MyProc != NULL ? MyProc->pgprocno : -1;
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
	SendProcSignal(pid, reason, proc->backendId);
}

/* Read the messages of parallel workers, if there are any, and the context that this is done in. */
static inline void
compat_handle_messages(void)
{
	HandleParallelMessages();
}
#define COMPAT_MESSAGES_CONTEXT "HandleParallelMessages"

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
	return session_auth_is_superuser;
}

#endif							/* JEMCTX_COMPAT_H */
