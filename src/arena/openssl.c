/*-------------------------------------------------------------------------
 *
 * openssl.c
 *	  What OpenSSL frees in a process that ends.
 *
 * The postmaster initializes OpenSSL, and each of its children frees in exit()
 * what it has inherited of it: some thousand small objects, in pages that the
 * kernel has to copy first.  With the process they go anyway, so they are left.
 * Before it has left shared memory a process may have much to say by TLS, as
 * postgres_fdw has when it aborts, and frees as ever.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <dlfcn.h>

#include "storage/ipc.h"

#include "arena/caller.h"

/* What OpenSSL calls CRYPTO_free_fn. */
typedef void (*CryptoFree) (void *pointer, const char *file, int line);

/* NULL for a function leaves it as it is. */
typedef int (*SetFunctions) (void *malloc, void *realloc, CryptoFree free);

static void
crypto_free(void *pointer, const char *file, int line)
{
	if (!proc_exit_inprogress || shmem_exit_inprogress)
		free(pointer);
}

/*
 * Before main(), since OpenSSL takes no other functions once it has allocated.
 * Only where this module has been preloaded: from anywhere else it may go.
 */
static void __attribute__((constructor))
set_functions(void)
{
	SetFunctions set = (SetFunctions) dlsym(RTLD_DEFAULT, "CRYPTO_set_mem_functions");

	if (set != NULL && caller_is_ours(dlsym(RTLD_DEFAULT, "malloc")))
		(void) set(NULL, NULL, crypto_free);
}
