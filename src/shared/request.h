/*-------------------------------------------------------------------------
 *
 * request.h
 *	  What processes ask of the keeper.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_REQUEST_H
#define JEMCTX_REQUEST_H

#include "shared/control.h"

typedef enum RequestKind
{
	REQUEST_SLABS,				/* put slabs of a kind into the stock */
	REQUEST_LARGE,				/* allocate a large object */
	REQUEST_RESET,
	REQUEST_DROP,
	REQUEST_PURGE				/* of all namespaces: a step */
} RequestKind;

typedef enum RequestState
{
	REQUEST_FREE,				/* the process's own */
	REQUEST_WAITING,			/* anybody's who is first */
	REQUEST_TAKEN,				/* the keeper's own */
	REQUEST_ABANDONED,			/* the keeper's own, nobody waits for it */
	REQUEST_DONE				/* the process's own */
} RequestState;

/* One for each process.  Who owns it, by its state, reads and writes the rest. */
typedef struct Request
{
	pg_atomic_uint32 state;
	RequestKind kind;
	Namespace  *space;
	uint64		edition;		/* of the namespace as the process knows it */
	SlabKind	slabs;
	Size		pages;			/* of a large object */
	int			repeats;		/* times that it was to be asked again */

	bool		refused;		/* there is no memory, or the edition has passed */
	bool		limited;		/* by the namespace's limit, or the region's size */
	bool		again;			/* something is done for it: to be asked again, */
	bool		later;			/* but not at once */
	void	   *object;
	bool		clean;			/* the object is zero */
	Size		purged;			/* bytes */
} Request;

extern void request_enter(void);

/* In a process */
extern void request_slabs(Namespace *space, uint64 edition, SlabKind kind, bool *refused);
extern void *request_large(Namespace *space, uint64 edition, Size size, bool *clean);
extern bool request_reset(Namespace *space, uint64 edition, bool drop);
extern Size request_purge(void);

/* Was it the namespace's limit, or the region's size, that the last answer is due to? */
extern bool request_was_limited(void);

/* In the keeper */
extern int	request_next(int after);
extern Request *request_take(int process);
extern void request_finish(int process, Request *request);

#endif							/* JEMCTX_REQUEST_H */
