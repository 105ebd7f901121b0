/*-------------------------------------------------------------------------
 *
 * openssl.c
 *	  Does what OpenSSL frees go back to malloc?
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

#include <dlfcn.h>

#include "storage/ipc.h"

PG_FUNCTION_INFO_V1(jemctx_test_openssl_freed);
PG_FUNCTION_INFO_V1(jemctx_test_openssl_tell_at_end);

#define BYTES 3000

/* A symbol that may be in nobody's library. */
static void *
find(const char *symbol)
{
	void	   *found = dlsym(RTLD_DEFAULT, symbol);

	if (found == NULL)
		elog(ERROR, "there is no %s", symbol);
	return found;
}

/* Bytes that this thread has given back to malloc. */
static uint64
deallocated(void)
{
	int			(*mallctl) (const char *, void *, size_t *, void *, size_t) = find("mallctl");
	uint64		bytes;
	size_t		len = sizeof(bytes);

	check_equal(mallctl("thread.deallocated", &bytes, &len, NULL, 0), 0);
	return bytes;
}

/* How many bytes go back when OpenSSL frees an object. */
static int64
freed(void)
{
	void	   *(*crypto_malloc) (size_t, const char *, int) = find("CRYPTO_malloc");
	void		(*crypto_free) (void *, const char *, int) = find("CRYPTO_free");
	void	   *object = crypto_malloc(BYTES, __FILE__, __LINE__);
	uint64		before = deallocated();

	check(object != NULL);
	memset(object, 1, BYTES);
	crypto_free(object, __FILE__, __LINE__);
	return deallocated() - before;
}

Datum
jemctx_test_openssl_freed(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(freed());
}

static void
tell(int code, Datum moment)
{
	elog(LOG, "%s: OpenSSL frees " INT64_FORMAT " bytes", DatumGetCString(moment), freed());
}

/* The same goes to the log while the session is in shared memory, leaves it, and has left it. */
Datum
jemctx_test_openssl_tell_at_end(PG_FUNCTION_ARGS)
{
	before_shmem_exit(tell, CStringGetDatum("before"));
	on_shmem_exit(tell, CStringGetDatum("while"));
	on_proc_exit(tell, CStringGetDatum("after"));
	PG_RETURN_VOID();
}
