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

/* Settings that name files, beside those of 15: members of an array of PathSetting. */
#if PG_VERSION_NUM >= 190000
#define POSTMASTER_MORE_PATHS {.name = "hosts_file", .resolved = &HostsFileName},
#else
#define POSTMASTER_MORE_PATHS
#endif

#endif							/* JEMCTX_POSTMASTER_H */
