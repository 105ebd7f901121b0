/*-------------------------------------------------------------------------
 *
 * enter.h
 *	  When memory goes back to the system.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_POLICY_ENTER_H
#define JEMCTX_POLICY_ENTER_H

extern void policy_enter(void);

#endif							/* JEMCTX_POLICY_ENTER_H */
