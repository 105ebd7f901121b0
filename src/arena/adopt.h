/*-------------------------------------------------------------------------
 *
 * adopt.h
 *	  Take over the arenas that malloc uses.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_ADOPT_H
#define JEMCTX_ADOPT_H

extern void adopt_process_arenas(void);

#endif							/* JEMCTX_ADOPT_H */
