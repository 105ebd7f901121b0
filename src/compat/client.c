/*-------------------------------------------------------------------------
 *
 * client.c
 *	  What has been received from the client and not been read yet.
 *
 * The functions of OpenSSL and GSSAPI are looked up, since the server may have
 * been built without them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <dlfcn.h>

#include "compat/client.h"
#include "miscadmin.h"

/* The connection, with the first of the fields that client.h leaves out. */
typedef struct TlsPort
{
	Port		port;
	void	   *ssl;
} TlsPort;

/* Bytes that OpenSSL has decrypted and not handed out; -1 when it does not say. */
static int
tls_pending(void *ssl)
{
	static int	(*ssl_pending) (void *ssl) = NULL;

	if (ssl_pending == NULL)
		ssl_pending = (int (*) (void *)) dlsym(RTLD_DEFAULT, "SSL_pending");
	return ssl_pending ? ssl_pending(ssl) : -1;
}

/*
 * Can nobody tell whether the client has sent something?  So it is when GSSAPI
 * encrypts the connection.
 */
bool
client_is_hidden(void)
{
	static bool (*get_enc) (Port *port) = NULL;
	static bool looked_up = false;

	if (!looked_up)
		get_enc = (bool (*) (Port *)) dlsym(RTLD_DEFAULT, "be_gssapi_get_enc");
	looked_up = true;
	return get_enc != NULL && get_enc(MyProcPort);
}

/* Has the client sent something that waiting for its socket would not tell? */
bool
client_has_sent(void)
{
	return pq_buffer_has_data() ||
		(MyProcPort->ssl_in_use && tls_pending(((TlsPort *) MyProcPort)->ssl) != 0);
}
