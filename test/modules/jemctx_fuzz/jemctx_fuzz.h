/*-------------------------------------------------------------------------
 *
 * jemctx_fuzz.h
 *	  What the operations of the fuzzer share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_FUZZ_H
#define JEMCTX_FUZZ_H

#include "postgres.h"

#include "fmgr.h"

#include "extension/jemctx/jemctx.h"

#include "board.h"

/* Of preload.c. */
extern Board *fuzz_board;

/* What an operation may end with. */
#define MAY_SUCCEED 1
#define MAY_BE_REFUSED 2		/* 53200 */
#define MAY_MISS 4				/* 42704: there is no such namespace any more */
#define MAY_EXIST 8				/* 42710 */
#define MAY_BE_REJECTED 16		/* 22023: a mistake that is found out */
#define MAY_BE_TOO_LARGE 32		/* XX000: no context would take such a size */
#define NEEDS_NO_MEMORY 64		/* so it is not refused where everything else may be */

/* What the operation that runs may end with; set before each call that may raise an ERROR. */
extern int	fuzz_allowed;

/* This process has a limit at present, and may be refused anything. */
extern bool fuzz_limited;

/* The model is right and jemctx is not. */
#define wrong(...) \
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg_internal(__VA_ARGS__)))

/* What is painted: both ends of the data, and a byte in each page between. */
extern void paint(char *data, Size size, uint8 seed);
extern void check_painted(const char *data, Size size, Size kept, uint8 seed);
extern void check_zero(const char *data, Size size);

extern bool size_is_valid(const Op *op);
extern int	alloc_flags(const Op *op);
extern int64 query(const char *sql);

/* contexts.c */
extern void context_perform(Op *op);
extern void contexts_check(void);

/* objects.c */
extern void object_perform(Op *op);
extern void objects_forget(int space);

/* spaces.c */
extern JemctxNamespace *space_handle(const Op *op, bool *stale);
extern void space_perform(Op *op);
extern void space_race(Op *op);
extern void space_race_failed(Op *op, bool cancelled);

#endif							/* JEMCTX_FUZZ_H */
