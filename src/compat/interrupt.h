/*-------------------------------------------------------------------------
 *
 * interrupt.h
 *	  A place in PostgreSQL's interrupts that is ours.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_INTERRUPT_H
#define JEMCTX_INTERRUPT_H

#include "postgres.h"

#include "access/parallel.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/proc.h"

/*
 * What is to be done there, whoever has raised the interrupt, and why ever.  It
 * must allocate nothing and start no transaction; it may raise an error, and
 * the others are not called then.
 */
typedef void (*InterruptServer) (void);

extern void interrupt_enter(void);
extern void interrupt_add_server(InterruptServer server);
extern void interrupt_send(const PGPROC *proc, int pid);

/*
 * The same for a process that does not wait, and for a server that can do
 * nothing now: no wait ends for this.
 */
static inline void
interrupt_leave_pending(void)
{
	ParallelMessagePending = true;
	InterruptPending = true;
}

/*
 * Have the servers called where this process next checks for interrupts, also
 * while it reads a command from its client.  For signal handlers, too.
 */
static inline void
interrupt_raise(void)
{
	interrupt_leave_pending();
	SetLatch(MyLatch);
}

#endif							/* JEMCTX_INTERRUPT_H */
