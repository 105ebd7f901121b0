/*-------------------------------------------------------------------------
 *
 * inherited.h
 *	  What a session has from the postmaster and does not need.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_INHERITED_H
#define JEMCTX_INHERITED_H

extern void inherited_enter(void);
extern void inherited_return(void);

#endif							/* JEMCTX_INHERITED_H */
