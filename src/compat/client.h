/*-------------------------------------------------------------------------
 *
 * client.h
 *	  The server's header about the connection to the client.
 *
 * It includes those of OpenSSL and GSSAPI if the server was built with them,
 * and their packages need not be there.
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

#endif							/* JEMCTX_CLIENT_H */
