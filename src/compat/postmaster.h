/*-------------------------------------------------------------------------
 *
 * postmaster.h
 *	  What the postmaster is about to do.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_POSTMASTER_H
#define JEMCTX_POSTMASTER_H

typedef enum PostmasterIntent
{
	POSTMASTER_GOES_ON,
	POSTMASTER_MAY_STOP,		/* look again */
	POSTMASTER_STOPS
} PostmasterIntent;

extern PostmasterIntent postmaster_intent(void);

#endif							/* JEMCTX_POSTMASTER_H */
