/*-------------------------------------------------------------------------
 *
 * races.h
 *	  Namespaces that sessions race for in a round.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUZZ_RACES_H
#define FUZZ_RACES_H

#include "server.h"

/* From the round on that begins nobody knows what is in the namespace. */
extern void race_begin(int space);
extern bool race_is_on(int space);
extern bool races_are_on(void);

/* The round is over, and all that sessions had to say was heard.  Was it all to be expected? */
extern void races_judge(void);

/* Forget all. */
extern void races_end(void);

#endif							/* FUZZ_RACES_H */
