/*-------------------------------------------------------------------------
 *
 * move.h
 *	  Move what is in one object to another, by moving pages.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_MOVE_H
#define JEMCTX_MOVE_H

#include "postgres.h"

/*
 * From this size on objects grow by moving their pages instead of copying
 * them; for that they begin on a page.
 */
#define MOVE_SMALLEST ((Size) 256 * 1024)
#define MOVE_PAGE_LG 12
#define MOVE_PAGE ((Size) 1 << MOVE_PAGE_LG)

extern bool move_contents(char *to, char *from, Size size);

#endif							/* JEMCTX_MOVE_H */
