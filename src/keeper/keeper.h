/*-------------------------------------------------------------------------
 *
 * keeper.h
 *	  The process that has the pages of all namespaces.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_KEEPER_H
#define JEMCTX_KEEPER_H

#include "postgres.h"

extern void keeper_register(void);
extern void keeper_at_reload(void (*tell) (void));
extern bool keeper_is_registered(void);
extern PGDLLEXPORT _Noreturn void jemctx_keeper_main(Datum arg);

#endif							/* JEMCTX_KEEPER_H */
