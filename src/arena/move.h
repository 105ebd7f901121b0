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

extern bool move_contents(char *to, char *from, Size size);

#endif							/* JEMCTX_MOVE_H */
