/*-------------------------------------------------------------------------
 *
 * bench.c
 *	  The SQL function: find the kind of context and the work, and run it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <dlfcn.h>

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "bench.h"
#include "jemctx.h"

PG_MODULE_MAGIC;
PG_FUNCTION_INFO_V1(jemctx_bench);

static MemoryContext
make_allocset(void)
{
	return AllocSetContextCreate(TopMemoryContext, "bench", ALLOCSET_DEFAULT_SIZES);
}

static MemoryContext
make_allocset_small(void)
{
	return AllocSetContextCreate(TopMemoryContext, "bench", ALLOCSET_SMALL_SIZES);
}

static MemoryContext
make_generation(void)
{
	return GenerationContextCreate(TopMemoryContext, "bench", ALLOCSET_DEFAULT_SIZES);
}

static MemoryContext
make_slab(void)
{
	return SlabContextCreate(TopMemoryContext, "bench", SLAB_DEFAULT_BLOCK_SIZE, SLAB_CHUNK);
}

/* Not linked: the module must load in a server without jemctx, too. */
static MemoryContext
make_jemctx(JemctxLifetime lifetime)
{
	static MemoryContext (*create) (MemoryContext, const char *, JemctxLifetime);

	if (create == NULL)
		create = (MemoryContext (*) (MemoryContext, const char *, JemctxLifetime))
			dlsym(RTLD_DEFAULT, "JemctxContextCreate");
	if (create == NULL)
		create = (MemoryContext (*) (MemoryContext, const char *, JemctxLifetime))
			load_external_function("$libdir/jemctx", "JemctxContextCreate", true, NULL);
	return create(TopMemoryContext, "bench", lifetime);
}

static MemoryContext
make_transient(void)
{
	return make_jemctx(JEMCTX_TRANSIENT);
}

static MemoryContext
make_persistent(void)
{
	return make_jemctx(JEMCTX_PERSISTENT);
}

static const struct
{
	const char *name;
	ContextMaker make;
}			kinds[] = {
	{"AllocSet", make_allocset},
	{"AllocSet small", make_allocset_small},
	{"Generation", make_generation},
	{"Slab", make_slab},
	{"transient", make_transient},
	{"persistent", make_persistent},
	{"malloc", make_floor},
};

static ContextMaker
find_kind(const char *name)
{
	for (int i = 0; i < lengthof(kinds); i++)
	{
		if (strcmp(kinds[i].name, name) == 0)
			return kinds[i].make;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown kind of context: \"%s\"", name)));
}

static const Work *
find_work(const char *name)
{
	for (int i = 0; i < works_count; i++)
	{
		if (strcmp(works[i].name, name) == 0)
			return &works[i];
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown work: \"%s\"", name)));
}

Datum
jemctx_bench(PG_FUNCTION_ARGS)
{
	ContextMaker make = find_kind(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	const Work *work = find_work(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	WorkResult	result = {0};
	TupleDesc	desc;
	Datum		values[4];
	bool		nulls[4] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	work_divisor = PG_GETARG_INT32(2);
	if (work_divisor < 1)
		elog(ERROR, "a work cannot be divided by %d", work_divisor);
	work->run(make, &result);
	values[0] = Float8GetDatum(result.ns);
	values[1] = Int64GetDatum(result.live);
	values[2] = Int64GetDatum(result.resident);
	values[3] = Int64GetDatum(result.after_free);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
