/*-------------------------------------------------------------------------
 *
 * figures.h
 *	  Compare what the views tell with the model.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUZZ_FIGURES_H
#define FUZZ_FIGURES_H

#include "server.h"

/* Nobody works: all figures of namespaces are what they must be, at last. */
extern void figures_check(PGconn *connection);

/* Set a namespace right for which sessions have raced, or that was interrupted: drop it. */
extern void figures_settle(PGconn *connection, int number, bool raced, bool interrupted);

/* All namespaces are gone, and all of the region is free. */
extern void figures_check_empty(PGconn *connection);

#endif							/* FUZZ_FIGURES_H */
