/*-------------------------------------------------------------------------
 *
 * namespaces.c
 *	  Objects of a namespace: sizes, flags, mistakes, and data that sessions
 *	  leave to each other.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

#include "miscadmin.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(jemctx_test_ns_open);
PG_FUNCTION_INFO_V1(jemctx_test_ns_sizes);
PG_FUNCTION_INFO_V1(jemctx_test_ns_zero);
PG_FUNCTION_INFO_V1(jemctx_test_ns_zero_again);
PG_FUNCTION_INFO_V1(jemctx_test_ns_huge);
PG_FUNCTION_INFO_V1(jemctx_test_ns_no_memory);
PG_FUNCTION_INFO_V1(jemctx_test_ns_mistake);
PG_FUNCTION_INFO_V1(jemctx_test_ns_stale);
PG_FUNCTION_INFO_V1(jemctx_test_ns_taken);
PG_FUNCTION_INFO_V1(jemctx_test_ns_fill);
PG_FUNCTION_INFO_V1(jemctx_test_ns_drain);
PG_FUNCTION_INFO_V1(jemctx_test_ns_check);

#define MANY 300
#define MAGAZINE 128			/* most objects in one */

#define PAGE 4096

/* Objects that a session leaves in a namespace: a list that its root begins. */
typedef struct Left
{
	struct Left *next;
	Size		size;
	unsigned char cookie;
	char		data[FLEXIBLE_ARRAY_MEMBER];
} Left;

JemctxNamespace *
namespace_arg(FunctionCallInfo fcinfo)
{
	return jemctx_namespace_find(text_to_cstring(PG_GETARG_TEXT_PP(0)), false);
}

/* Find it, or make it. */
Datum
jemctx_test_ns_open(PG_FUNCTION_ARGS)
{
	jemctx_namespace_find_or_create(text_to_cstring(PG_GETARG_TEXT_PP(0)), 0);
	PG_RETURN_VOID();
}

static void
check_size_class(JemctxNamespace *ns, Size size)
{
	char	   *objects[MANY];
	int			count = size > 100000 ? 3 : MANY;

	for (int i = 0; i < count; i++)
	{
		objects[i] = jemctx_namespace_allocate(ns, size, 0);
		check((uintptr_t) objects[i] % 16 == 0);
		check(jemctx_namespace_usable_size(ns, objects[i]) >= size);
		fill(objects[i], jemctx_namespace_usable_size(ns, objects[i]), i);
	}
	for (int i = 0; i < count; i++)
		check_filled(objects[i], jemctx_namespace_usable_size(ns, objects[i]), i);
	for (int i = 0; i < count; i++)
		jemctx_namespace_free(ns, objects[i]);
}

/* Objects of all sizes have the bytes that they should, and no others. */
Datum
jemctx_test_ns_sizes(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);

	for (Size size = 0; size < 1100; size++)
		check_size_class(ns, size);
	for (int i = 0; i < lengthof(test_sizes); i++)
		check_size_class(ns, test_sizes[i]);
	for (Size size = 1100; size < 13000; size += 97)
		check_size_class(ns, size);
	PG_RETURN_VOID();
}

/* What was used before is zero if asked for. */
Datum
jemctx_test_ns_zero(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);

	for (int i = 0; i < lengthof(test_sizes); i++)
	{
		Size		size = test_sizes[i];
		char	   *object = jemctx_namespace_allocate(ns, size, 0);

		memset(object, 0xa5, size);
		jemctx_namespace_free(ns, object);
		object = jemctx_namespace_allocate(ns, size, MCXT_ALLOC_ZERO);
		for (Size byte = 0; byte < size; byte++)
			check(object[byte] == 0);
		memset(object, 0xa5, size);
		jemctx_namespace_free(ns, object);
	}
	PG_RETURN_VOID();
}

/*
 * Large objects, one after the other, every second one zero, wherever the memory
 * has been used before.
 */
Datum
jemctx_test_ns_zero_again(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);
	Size		size = PG_GETARG_INT32(1);

	for (int i = 0; i < PG_GETARG_INT32(2); i++)
	{
		bool		zero = i % 2 == 1;
		char	   *object = jemctx_namespace_allocate(ns, size, zero ? MCXT_ALLOC_ZERO : 0);

		for (Size byte = 0; zero && byte < size; byte++)
			check(object[byte] == 0);
		memset(object, 0xa5, size);
		jemctx_namespace_free(ns, object);
	}
	PG_RETURN_VOID();
}

/* More than a gigabyte needs a flag. */
Datum
jemctx_test_ns_huge(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);
	bool		huge = PG_GETARG_BOOL(1);
	void	   *object = jemctx_namespace_allocate(ns, MaxAllocSize + 1,
												   MCXT_ALLOC_NO_OOM |
												   (huge ? MCXT_ALLOC_HUGE : 0));

	/* as large as the region or larger */
	check(object == NULL);
	PG_RETURN_VOID();
}

/* An allocation beyond the limit gives NULL if asked for, else an ERROR. */
Datum
jemctx_test_ns_no_memory(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);
	Size		size = PG_GETARG_INT64(1);

	check(jemctx_namespace_allocate(ns, size, MCXT_ALLOC_NO_OOM) == NULL);
	check(jemctx_namespace_allocate(ns, size, MCXT_ALLOC_NO_OOM | MCXT_ALLOC_ZERO) == NULL);
	jemctx_namespace_allocate(ns, size, 0);
	PG_RETURN_VOID();
}

static void
pfree_twice(JemctxNamespace *ns)
{
	void	   *chunk = MemoryContextAlloc(jemctx_namespace_context(ns), 100);

	pfree(chunk);
	pfree(chunk);
}

static void
free_twice(JemctxNamespace *ns, Size size)
{
	void	   *object = jemctx_namespace_allocate(ns, size, 0);

	jemctx_namespace_free(ns, object);
	jemctx_namespace_free(ns, object);
}

static void
ask_about_freed(JemctxNamespace *ns, void *object)
{
	jemctx_namespace_free(ns, object);
	jemctx_namespace_usable_size(ns, object);
}

/* An object freed twice, with so many others freed after that, that the magazine is emptied. */
static void
free_twice_and_others(JemctxNamespace *ns)
{
	void	   *objects[MANY];

	for (int i = 0; i < MANY; i++)
		objects[i] = jemctx_namespace_allocate(ns, 40, 0);
	jemctx_namespace_free(ns, objects[0]);
	for (int i = 0; i < MANY; i++)
		jemctx_namespace_free(ns, objects[i]);
}

/*
 * An object freed twice, so that the half of a magazine that is given back has
 * it, and the half that is kept, when that happens for the first time.
 */
static void
free_twice_apart(JemctxNamespace *ns)
{
	void	   *objects[MANY];

	for (int i = 0; i < MANY; i++)
		objects[i] = jemctx_namespace_allocate(ns, 40, 0);
	for (int i = 0; i < MAGAZINE; i++)
		jemctx_namespace_free(ns, objects[i == MAGAZINE / 2 ? 0 : i]);
}

/* Make a mistake. */
Datum
jemctx_test_ns_mistake(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);
	char	   *mistake = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char	   *object = jemctx_namespace_allocate(ns, 100, 0);
	char	   *large = jemctx_namespace_allocate(ns, 100000, 0);

	if (strcmp(mistake, "foreign") == 0)
		jemctx_namespace_free(ns, palloc(100));
	else if (strcmp(mistake, "nothing") == 0)
		jemctx_namespace_free(ns, NULL);
	else if (strcmp(mistake, "inside") == 0)
		jemctx_namespace_free(ns, object + 16);
	else if (strcmp(mistake, "inside large") == 0)
		jemctx_namespace_free(ns, large + 4096);
	else if (strcmp(mistake, "other") == 0)
		jemctx_namespace_free(jemctx_namespace_find("other", false), object);
	else if (strcmp(mistake, "twice") == 0)
		free_twice_and_others(ns);
	else if (strcmp(mistake, "twice apart") == 0)
		free_twice_apart(ns);
	else if (strcmp(mistake, "twice at once") == 0)
		free_twice(ns, 100);
	else if (strcmp(mistake, "large twice") == 0)
		free_twice(ns, 100000);
	else if (strcmp(mistake, "pfree twice") == 0)
		pfree_twice(ns);
	else if (strcmp(mistake, "delete") == 0)
		MemoryContextDelete(jemctx_namespace_context(ns));
	else if (strcmp(mistake, "usable size") == 0)
		jemctx_namespace_usable_size(ns, object + 16);
	else if (strcmp(mistake, "usable size of freed") == 0)
		ask_about_freed(ns, object);
	else if (strcmp(mistake, "usable size of large freed") == 0)
		ask_about_freed(ns, large);
	else
		elog(ERROR, "unknown mistake: %s", mistake);
	PG_RETURN_VOID();
}

/*
 * Keep a handle and objects, have the namespace reset or dropped in a session
 * or by oneself, and do something with them.
 */
Datum
jemctx_test_ns_stale(PG_FUNCTION_ARGS)
{
	static JemctxNamespace *kept;
	static MemoryContext context;
	static void *object;
	char	   *what = text_to_cstring(PG_GETARG_TEXT_PP(1));

	if (strcmp(what, "keep") == 0)
	{
		kept = namespace_arg(fcinfo);
		context = jemctx_namespace_context(kept);
		object = jemctx_namespace_allocate(kept, 100, 0);
		memset(object, 1, 100);
	}
	else if (strcmp(what, "look") == 0 && object != NULL)
		PG_RETURN_INT32(*(char *) object);
	else if (strcmp(what, "allocate") == 0)
		object = jemctx_namespace_allocate(kept, 100, 0);
	else if (strcmp(what, "free") == 0)
		jemctx_namespace_free(kept, object);
	else if (strcmp(what, "free in it") == 0)
		jemctx_namespace_free(namespace_arg(fcinfo), object);
	else if (strcmp(what, "root") == 0)
		jemctx_namespace_root(kept);
	else if (strcmp(what, "set root") == 0)
		jemctx_namespace_set_root(kept, NULL);
	else if (strcmp(what, "limit") == 0)
		jemctx_namespace_limit(kept);
	else if (strcmp(what, "set limit") == 0)
		jemctx_namespace_set_limit(kept, 1);
	else if (strcmp(what, "usable size") == 0)
		jemctx_namespace_usable_size(kept, object);
	else if (strcmp(what, "palloc") == 0)
		MemoryContextAlloc(context, 100);
	else if (strcmp(what, "context reset") == 0)
		MemoryContextReset(context);
	else
		elog(ERROR, "unknown: %s", what);
	PG_RETURN_INT32(0);
}

/*
 * What must not be done: free an object that a reset has taken, when a slab of
 * its size class is in its place.  Returns how many resets it took to get there.
 */
Datum
jemctx_test_ns_taken(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);
	uintptr_t	old[MANY];
	uintptr_t	new;

	for (int resets = 1;; resets++)
	{
		for (int i = 0; i < MANY; i++)
			old[i] = (uintptr_t) jemctx_namespace_allocate(ns, 64, 0);
		jemctx_namespace_reset(text_to_cstring(PG_GETARG_TEXT_PP(0)));
		new = (uintptr_t) jemctx_namespace_allocate(ns, 64, 0);

		/* the last in a page: the process has been given the first ones */
		for (int i = 0; i < MANY; i++)
		{
			if (old[i] / PAGE != new / PAGE || old[i] < new + UINT64CONST(32) * 64)
				continue;
			jemctx_namespace_free(ns, (void *) old[i]);
			PG_RETURN_INT32(resets);
		}
		CHECK_FOR_INTERRUPTS();
	}
}

static Left *
leave(JemctxNamespace *ns, Size size, unsigned char cookie)
{
	Left	   *left = jemctx_namespace_allocate(ns, offsetof(Left, data) + size,
												 MCXT_ALLOC_NO_OOM);

	if (left == NULL)
		return NULL;
	left->size = size;
	left->cookie = cookie;
	fill(left->data, size, cookie);
	left->next = jemctx_namespace_root(ns);
	jemctx_namespace_set_root(ns, left);
	return left;
}

/* Leave objects of that size, until so many bytes or no memory.  Returns the bytes. */
Datum
jemctx_test_ns_fill(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);
	Size		size = PG_GETARG_INT32(1);
	int64		bytes = PG_GETARG_INT64(2);
	int64		left = 0;

	while (left + (int64) size <= bytes && leave(ns, size, (unsigned char) left) != NULL)
	{
		left += size;
		CHECK_FOR_INTERRUPTS();
	}
	PG_RETURN_INT64(left);
}

/* Check what sessions have left; their number. */
Datum
jemctx_test_ns_check(PG_FUNCTION_ARGS)
{
	int64		count = 0;

	for (Left *left = jemctx_namespace_root(namespace_arg(fcinfo)); left; left = left->next)
	{
		check_filled(left->data, left->size, left->cookie);
		count++;
	}
	PG_RETURN_INT64(count);
}

/* Check and free the first so many. */
Datum
jemctx_test_ns_drain(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);
	int64		most = PG_GETARG_INT64(1);
	int64		count = 0;
	Left	   *left;

	while (count < most && (left = jemctx_namespace_root(ns)) != NULL)
	{
		check_filled(left->data, left->size, left->cookie);
		jemctx_namespace_set_root(ns, left->next);
		jemctx_namespace_free(ns, left);
		count++;
	}
	PG_RETURN_INT64(count);
}
