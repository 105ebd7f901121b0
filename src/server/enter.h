/*-------------------------------------------------------------------------
 *
 * enter.h
 *	  The room of what all processes hold together is entered.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_SERVER_ENTER_H
#define JEMCTX_SERVER_ENTER_H

extern void server_enter(void);

#endif							/* JEMCTX_SERVER_ENTER_H */
