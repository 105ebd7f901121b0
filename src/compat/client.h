/*-------------------------------------------------------------------------
 *
 * client.h
 *	  The connection to the client.
 *
 * The server's header about it includes those of OpenSSL and GSSAPI if the
 * server was built with them, and their packages need not be there.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_CLIENT_H
#define JEMCTX_CLIENT_H

#include "postgres.h"

#undef ENABLE_GSS
#undef USE_OPENSSL
#undef USE_SSL

#include "libpq/libpq.h"

extern void client_log_disconnection(void);

#endif							/* JEMCTX_CLIENT_H */
