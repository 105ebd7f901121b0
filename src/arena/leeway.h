/*-------------------------------------------------------------------------
 *
 * leeway.h
 *	  How far beyond a limit an allocation may go.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_LEEWAY_H
#define JEMCTX_LEEWAY_H

#include "postgres.h"

/* An allocation, to be tried more than once: make returns the object, or NULL. */
typedef struct Attempt
{
	void	   *(*make) (const struct Attempt *attempt);
	void	   *pointer;
	Size		count;
	Size		size;
	int			flags;
	const void *caller;			/* the code that asks, if that may be a library's, or NULL */
} Attempt;

typedef enum Leeway
{
	LEEWAY_NONE,
	/* as far as PostgreSQL's smallest blocks need beyond what libraries got */
	LEEWAY_SMALL,
	LEEWAY_LIBRARY,				/* jemctx.library_headroom */
	LEEWAY_ANY
} Leeway;

extern void leeway_enter(void);
extern bool leeway_admits(Size excess);
extern bool leeway_admits_for_all(Size held, Size bytes);
extern void leeway_room_for_all(void);
extern void *leeway_make(const Attempt *attempt, Leeway how);
extern bool leeway_was_used(void);
extern bool leeway_is_wider(void);
extern void leeway_forget_libraries(void);
extern Size leeway_headroom(void);

#endif							/* JEMCTX_LEEWAY_H */
