/*-------------------------------------------------------------------------
 *
 * library.c
 *	  A library that does not know what to do without memory, and whose own
 *	  code for the end of a session must not run in the middle of it.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

#include <malloc.h>

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(jemctx_test_library);
PG_FUNCTION_INFO_V1(jemctx_test_library_held);
PG_FUNCTION_INFO_V1(jemctx_test_library_free);

extern void *new_object(size_t size) __asm__("_Znwm");
extern void *new_array(size_t size) __asm__("_Znam");
extern void *new_object_or_null(size_t size, const void *nothrow) __asm__("_ZnwmRKSt9nothrow_t");
extern void *new_array_or_null(size_t size, const void *nothrow) __asm__("_ZnamRKSt9nothrow_t");
extern void *new_aligned(size_t size, size_t alignment) __asm__("_ZnwmSt11align_val_t");
extern void *new_aligned_array(size_t size, size_t alignment) __asm__("_ZnamSt11align_val_t");
extern void *new_aligned_or_null(size_t size, size_t alignment, const void *nothrow)
			__asm__("_ZnwmSt11align_val_tRKSt9nothrow_t");
extern void *new_aligned_array_or_null(size_t size, size_t alignment, const void *nothrow)
			__asm__("_ZnamSt11align_val_tRKSt9nothrow_t");

#define ALIGNMENT 256

/* Each block is of so many bytes and begins with a pointer to the one before. */
typedef struct Block
{
	struct Block *next;
} Block;

static Block *blocks;

/* While the library runs its end would find it in the middle of something. */
static volatile bool running;

static void
die_if_running(void)
{
	if (running)
		abort();
}

static void
at_proc_exit(int code, Datum arg)
{
	die_if_running();
}

static void
at_reset(void *arg)
{
	die_if_running();
}

static void
watch_end(void)
{
	static MemoryContextCallback callback = {.func = at_reset};
	static bool watched = false;

	if (watched)
		return;
	watched = true;
	on_proc_exit(at_proc_exit, 0);
	check_equal(atexit(die_if_running), 0);
	MemoryContextRegisterResetCallback(AllocSetContextCreate(TopMemoryContext, "library",
															 ALLOCSET_SMALL_SIZES), &callback);
}

static void *
by_malloc(size_t size)
{
	return malloc(size);
}

static void *
by_calloc(size_t size)
{
	return calloc(1, size);
}

static void *
by_realloc(size_t size)
{
	return realloc(malloc(1), size);
}

/* libc asks, for a string. */
static void *
by_strdup(size_t size)
{
	static char string[1024 * 1024];

	memset(string, 'x', size - 1);
	string[size - 1] = '\0';
	return strdup(string);
}

static void *
by_posix_memalign(size_t size)
{
	void	   *pointer;

	return posix_memalign(&pointer, ALIGNMENT, size) == 0 ? pointer : NULL;
}

static void *
by_aligned_alloc(size_t size)
{
	return aligned_alloc(ALIGNMENT, size);
}

static void *
by_memalign(size_t size)
{
	return memalign(ALIGNMENT, size);
}

static void *
by_new_or_null(size_t size)
{
	return new_object_or_null(size, NULL);
}

static void *
by_new_array_or_null(size_t size)
{
	return new_array_or_null(size, NULL);
}

static void *
by_new_aligned(size_t size)
{
	return new_aligned(size, ALIGNMENT);
}

static void *
by_new_aligned_array(size_t size)
{
	return new_aligned_array(size, ALIGNMENT);
}

static void *
by_new_aligned_or_null(size_t size)
{
	return new_aligned_or_null(size, ALIGNMENT, NULL);
}

static void *
by_new_aligned_array_or_null(size_t size)
{
	return new_aligned_array_or_null(size, ALIGNMENT, NULL);
}

static const struct
{
	const char *name;
	void	   *(*function) (size_t size);
}			ways[] = {
	{"malloc", by_malloc},
	{"calloc", by_calloc},
	{"realloc", by_realloc},
	{"strdup", by_strdup},
	{"posix_memalign", by_posix_memalign},
	{"aligned_alloc", by_aligned_alloc},
	{"memalign", by_memalign},
	{"valloc", valloc},
	{"new", new_object},
	{"new[]", new_array},
	{"nothrow new", by_new_or_null},
	{"nothrow new[]", by_new_array_or_null},
	{"aligned new", by_new_aligned},
	{"aligned new[]", by_new_aligned_array},
	{"aligned nothrow new", by_new_aligned_or_null},
	{"aligned nothrow new[]", by_new_aligned_array_or_null}
};

static void *(*find_way(const char *name)) (size_t size)
{
	for (int i = 0; i < lengthof(ways); i++)
	{
		if (strcmp(ways[i].name, name) == 0)
			return ways[i].function;
	}
	elog(ERROR, "no way to allocate is called \"%s\"", name);
}

/* Take so many blocks of so many bytes, and use and keep them; there is no way to go on without. */
static void
take(void *(*way) (size_t size), Size size, int count)
{
	watch_end();
	running = true;
	for (int i = 0; i < count; i++)
	{
		Block	   *block = way(size);

		if (block == NULL)
			abort();
		memset(block, 1, size);
		block->next = blocks;
		blocks = block;
	}
	running = false;
}

Datum
jemctx_test_library(PG_FUNCTION_ARGS)
{
	take(find_way(text_to_cstring(PG_GETARG_TEXT_PP(0))), PG_GETARG_INT32(1), PG_GETARG_INT32(2));
	PG_RETURN_INT32(PG_GETARG_INT32(2));
}

/* The same where the session cannot end. */
Datum
jemctx_test_library_held(PG_FUNCTION_ARGS)
{
	const char *what = text_to_cstring(PG_GETARG_TEXT_PP(0));
	bool		lock = strcmp(what, "lock") == 0;

	if (lock)
		LWLockAcquire(AddinShmemInitLock, LW_SHARED);
	else
		HOLD_INTERRUPTS();
	take(by_malloc, PG_GETARG_INT32(1), PG_GETARG_INT32(2));
	if (lock)
		LWLockRelease(AddinShmemInitLock);
	else
		RESUME_INTERRUPTS();
	PG_RETURN_INT32(PG_GETARG_INT32(2));
}

Datum
jemctx_test_library_free(PG_FUNCTION_ARGS)
{
	while (blocks)
	{
		Block	   *block = blocks;

		blocks = block->next;
		free(block);
	}
	PG_RETURN_VOID();
}
