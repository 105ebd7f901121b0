/*-------------------------------------------------------------------------
 *
 * refusal.h
 *	  What becomes of a refusal of memory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_REFUSAL_H
#define JEMCTX_REFUSAL_H

#include "postgres.h"

/* Who holds how much, how much more was asked for, what the limit is, and what can be done. */
typedef struct Refusal
{
	const char *holder;			/* subject of a sentence */
	Size		held;
	Size		asked;
	Size		limit;			/* 0 if something else refused it */
	const char *advice;			/* a constant */
	bool		by_server;		/* is it the server's limit? */
} Refusal;

extern bool refusal_is_safe(Size bytes);
extern bool refusal_is_safe_at_interrupt(void);
extern void refusal_watch(void);
extern void refusal_note(const Refusal *refusal);
extern const Refusal *refusal_noted(void);
extern void refusal_count(const Refusal *refusal);
extern void refusal_deny(const char *debtor);
extern void refusal_explain(const Refusal *refusal);
extern void refusal_forget(void);
extern void refusal_end(void);
extern bool refusal_is_quiet(void);
extern bool refusal_server_was_full(void);
extern void refusal_stop(void);

#endif							/* JEMCTX_REFUSAL_H */
