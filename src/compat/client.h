/*-------------------------------------------------------------------------
 *
 * client.h
 *	  The server's header about the connection to the client.
 *
 * It includes those of OpenSSL and GSSAPI if the server was built with them,
 * and their packages need not be there.  Without these macros its structs are
 * the same up to the last fields, OpenSSL's, as it promises.
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

extern bool client_has_sent(void);
extern bool client_is_hidden(void);

#endif							/* JEMCTX_CLIENT_H */
