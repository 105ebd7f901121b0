/*-------------------------------------------------------------------------
 *
 * refusals.c
 *	  Tests of what becomes of allocations that a limit refuses.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

#include <dlfcn.h>
#include <pthread.h>

PG_FUNCTION_INFO_V1(jemctx_test_cope);
PG_FUNCTION_INFO_V1(jemctx_test_realloc_zero);
PG_FUNCTION_INFO_V1(jemctx_test_impossible);
PG_FUNCTION_INFO_V1(jemctx_test_beyond);
PG_FUNCTION_INFO_V1(jemctx_test_thread);
PG_FUNCTION_INFO_V1(jemctx_test_brim);

/* Ask for so many bytes and go on without them; true if there were none. */
static bool
cope(Size size)
{
	void	   *chunk = MemoryContextAllocExtended(CurrentMemoryContext, size,
												  MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);

	if (chunk == NULL)
		return true;
	pfree(chunk);
	return false;
}

Datum
jemctx_test_cope(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(cope(PG_GETARG_INT64(0)));
}

/*
 * Make an object small until it is gone, after a refusal of so many bytes: it
 * must have been freed once.  The address is all that is compared.
 */
Datum
jemctx_test_realloc_zero(PG_FUNCTION_ARGS)
{
	/* through a pointer that the compiler cannot see through */
	void	   *(*volatile resize) (void *, size_t) = realloc;
	void	   *a = malloc(100);
	void	   *b;

	check(a != NULL && cope(PG_GETARG_INT64(0)));
	/* NOLINTNEXTLINE(clang-analyzer-optin.portability.UnixAPI): what does it do then? */
	check(resize(a, 0) == NULL);
	a = malloc(100);
	b = malloc(100);
	check(a != NULL && b != NULL && a != b);
	free(a);
	free(b);
	PG_RETURN_VOID();
}

/* Ask malloc for what nobody can have. */
Datum
jemctx_test_impossible(PG_FUNCTION_ARGS)
{
	volatile Size too_much = (Size) PTRDIFF_MAX + 1;
	void	   *object = malloc(100);

	check(malloc(too_much) == NULL);
	check(calloc(too_much, 4) == NULL);
	check(realloc(object, too_much) == NULL);
	free(object);
	PG_RETURN_VOID();
}

/* Ask PostgreSQL for it. */
Datum
jemctx_test_beyond(PG_FUNCTION_ARGS)
{
	MemoryContextAllocHuge(CurrentMemoryContext, MaxAllocHugeSize);
	PG_RETURN_VOID();
}

/* A library's thread asks malloc for memory, and uses it. */
static void *
use_memory(void *bytes)
{
	Size		size = *(Size *) bytes;
	char	   *object = malloc(size);

	if (object == NULL)
		return NULL;
	memset(object, 1, size);
	free(object);
	return bytes;
}

/* Does another thread get so many bytes?  What belongs to this one must not change. */
Datum
jemctx_test_thread(PG_FUNCTION_ARGS)
{
	Size		size = PG_GETARG_INT64(0);
	ErrorContextCallback *stack = error_context_stack;
	ErrorContextCallback first = stack ? *stack : (ErrorContextCallback) {0};
	pthread_t	thread;
	void	   *result;

	check_equal(pthread_create(&thread, NULL, use_memory, &size), 0);
	check_equal(pthread_join(thread, &result), 0);
	check(error_context_stack == stack);
	check(stack == NULL || stack->previous == first.previous);
	PG_RETURN_BOOL(result != NULL);
}

/* What fills PostgreSQL's own contexts: freed when it is done again. */
static void *filling = NULL;

/* Take all that a context can give without more memory; each chunk points to the one before. */
static void *
fill_up(MemoryContext context, void *chunks)
{
	for (Size size = 8192; size >= 8; size /= 2)
	{
		void	  **chunk;

		while ((chunk = MemoryContextAllocExtended(context, size, MCXT_ALLOC_NO_OOM)) != NULL)
		{
			*chunk = chunks;
			chunks = chunk;
		}
	}
	return chunks;
}

/* Contexts below TopMemoryContext that are never deleted. */
static bool
is_permanent(MemoryContext context)
{
	static const char *const names[] = {"MdSmgr", "smgr relation table", "LOCALLOCK hash",
										"Relcache by OID", "PrivateRefCount"};

	for (int i = 0; i < lengthof(names); i++)
	{
		if (strcmp(context->name, names[i]) == 0 && context->methods == TopMemoryContext->methods)
			return true;
	}
	return false;
}

/*
 * Fill the contexts that live as long as the session to the brim, so that
 * whatever is allocated there next, however small, needs memory.  In checking
 * builds only.
 */
Datum
jemctx_test_brim(PG_FUNCTION_ARGS)
{
	bool	   *refuse_all = dlsym(RTLD_DEFAULT, "jemctx_debug_refuse_all");

	check(refuse_all != NULL);
	while (filling != NULL)
	{
		void	   *chunk = filling;

		filling = *(void **) chunk;
		pfree(chunk);
	}
	*refuse_all = true;
	filling = fill_up(TopMemoryContext, NULL);
	for (MemoryContext child = TopMemoryContext->firstchild; child != NULL;
		 child = child->nextchild)
	{
		if (is_permanent(child))
			filling = fill_up(child, filling);
	}
	*refuse_all = false;
	PG_RETURN_VOID();
}
