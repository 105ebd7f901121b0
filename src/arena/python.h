/*-------------------------------------------------------------------------
 *
 * python.h
 *	  CPython's small objects, which functions in Python are full of.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_PYTHON_H
#define JEMCTX_PYTHON_H

extern void python_enter(void);

#endif							/* JEMCTX_PYTHON_H */
