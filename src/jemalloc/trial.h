/*-------------------------------------------------------------------------
 *
 * trial.h
 *	  Try in a child process what might end this one, or never end.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_TRIAL_H
#define JEMCTX_TRIAL_H

#include "postgres.h"

/*
 * How long a trial may take.  It is a matter of milliseconds where nothing is
 * wrong, on a machine that is not very busy; and less than the minute after
 * which pg_ctl gives up.
 */
#define TRIAL_SECONDS 45

typedef enum TrialEnd
{
	TRIAL_ENDED,				/* by itself: see its status */
	TRIAL_HUNG,
	TRIAL_INTERRUPTED			/* somebody wants this process to end, or its statement */
} TrialEnd;

typedef struct Trial
{
	TrialEnd	end;
	int			status;			/* as waitpid() has it */
	char		said[1024];		/* on its standard output and error */
} Trial;

/*
 * Run act(arg) in a child, with all signals blocked; if it returns, the child
 * ends with status 0.  The child must not touch what is shared with others.
 */
extern void trial_run(Trial *trial, void (*act) (const void *arg), const void *arg);

static inline bool
trial_passed(const Trial *trial)
{
	return trial->end == TRIAL_ENDED && trial->status == 0;
}

#endif							/* JEMCTX_TRIAL_H */
