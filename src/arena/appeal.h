/*-------------------------------------------------------------------------
 *
 * appeal.h
 *	  Before the server's limit refuses, what others keep goes back.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_APPEAL_H
#define JEMCTX_APPEAL_H

#include "postgres.h"

/* Ask others, without a wait; and have they all answered?  Called within malloc. */
typedef void (*AppealAsk) (void);
typedef bool (*AppealAnswered) (void);

extern void appeal_register(AppealAsk ask, AppealAnswered answered);
extern void appeal_begin(void);
extern bool appeal_wait(void);

#endif							/* JEMCTX_APPEAL_H */
