/*-------------------------------------------------------------------------
 *
 * kill.c
 *	  What sessions and workers do with a namespace and with contexts while
 *	  some of them are killed.
 *
 * They share a table of places, as in nstorture.c.  Each object has a stamp:
 * the table's edition and a number of its own.  Whoever is given memory that
 * has a stamp of the table's edition has been given an object that somebody
 * else uses; who frees an object takes its stamp away first.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "postmaster/bgworker.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(jemctx_test_kill_begin);
PG_FUNCTION_INFO_V1(jemctx_test_kill_load);
PG_FUNCTION_INFO_V1(jemctx_test_kill_check);
PG_FUNCTION_INFO_V1(jemctx_test_kill_worker);

extern PGDLLEXPORT void jemctx_test_kill_worker_main(Datum arg);

#define PLACES 2000
#define LARGEST 100000
#define STEPS 200
#define CHUNKS 100

/* Of a stamp: how many bits are the number. */
#define NUMBER_BITS 40
#define EDITION(stamp) ((stamp) >> NUMBER_BITS)

typedef struct Object
{
	pg_atomic_uint64 stamp;
	Size		size;
	uint64		context;		/* is it a chunk of the context? */
	char		data[FLEXIBLE_ARRAY_MEMBER];
} Object;

typedef struct Table
{
	uint64		edition;		/* not 0; another for each table */
	pg_atomic_uint64 numbers;	/* of objects, so far */
	pg_atomic_uint64 places[PLACES];
} Table;

static pg_prng_state state;

Datum
jemctx_test_kill_begin(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);
	Table	   *table = jemctx_namespace_allocate(ns, sizeof(Table), MCXT_ALLOC_ZERO);

	table->edition = PG_GETARG_INT32(1);
	jemctx_namespace_set_root(ns, table);
	PG_RETURN_VOID();
}

static Object *
make_object(JemctxNamespace *ns, Table *table)
{
	uint64		stamp = table->edition << NUMBER_BITS | pg_atomic_fetch_add_u64(&table->numbers, 1);
	Size		size = (Size) random_size(&state, 16, -1.1, LARGEST);
	bool		context = pg_prng_uint32(&state) % 4 == 0;
	Object	   *object;
	uint64		before;

	if (context)
		object = MemoryContextAlloc(jemctx_namespace_context(ns), offsetof(Object, data) + size);
	else
		object = jemctx_namespace_allocate(ns, offsetof(Object, data) + size, 0);
	before = pg_atomic_exchange_u64(&object->stamp, stamp);
	if (EDITION(before) == table->edition)
		elog(ERROR, "handed out twice: %p of %zu bytes, is in use as number " UINT64_FORMAT, object,
			 size, before);
	object->size = size;
	object->context = context;
	fill(object->data, size, (unsigned char) stamp);
	return object;
}

/* Is an object as it was made? */
static void
check_object(const Table *table, Object *object)
{
	uint64		stamp = pg_atomic_read_u64(&object->stamp);
	Size		wrong = 0;

	if (EDITION(stamp) != table->edition || object->size > LARGEST ||
		(wrong = first_wrong_byte(object->data, object->size,
								  (unsigned char) stamp)) != object->size)
		elog(ERROR, "handed out twice: %p is not as it was left: stamp " UINT64_FORMAT
			 " of %zu bytes, byte %zu",
			 object, stamp, object->size, wrong);
}

static void
free_object(JemctxNamespace *ns, const Table *table, Object *object)
{
	if (object == NULL)
		return;
	check_object(table, object);
	pg_atomic_write_u64(&object->stamp, 0);
	if (object->context)
		pfree(object);
	else
		jemctx_namespace_free(ns, object);
}

/* Put an object, or NULL, into a place, and own what was there. */
static Object *
exchange(Table *table, int place, Object *object)
{
	return (Object *) (uintptr_t) pg_atomic_exchange_u64(&table->places[place], (uintptr_t) object);
}

static void
use_namespace(JemctxNamespace *ns)
{
	Table	   *table = jemctx_namespace_root(ns);

	for (int i = 0; i < STEPS; i++)
	{
		int			place = (int) pg_prng_uint64_range(&state, 0, PLACES - 1);
		Object	   *object = pg_prng_uint32(&state) % 3 == 0 ? NULL : make_object(ns, table);

		free_object(ns, table, exchange(table, place, object));
		CHECK_FOR_INTERRUPTS();
	}
}

static void
use_context(JemctxLifetime lifetime)
{
	MemoryContext context = JemctxContextCreate(CurrentMemoryContext, "killed", lifetime);
	char	   *chunks[CHUNKS];

	for (int i = 0; i < CHUNKS; i++)
	{
		chunks[i] = MemoryContextAlloc(context, 100 + i * 50);
		fill(chunks[i], 100 + i * 50, i);
	}
	for (int i = 0; i < CHUNKS; i++)
		check_filled(chunks[i], 100 + i * 50, i);
	MemoryContextDelete(context);
}

static void
use_both(JemctxNamespace *ns)
{
	use_namespace(ns);
	use_context(JEMCTX_TRANSIENT);
	use_context(JEMCTX_PERSISTENT);
}

Datum
jemctx_test_kill_load(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);

	pg_prng_seed(&state, (uint64) MyProcPid * 1000003 + PG_GETARG_INT32(1));
	use_both(ns);
	PG_RETURN_VOID();
}

/* Check all objects on the table, and free them; their number. */
Datum
jemctx_test_kill_check(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);
	Table	   *table = jemctx_namespace_root(ns);
	int			count = 0;

	for (int i = 0; i < PLACES; i++)
	{
		Object	   *object = exchange(table, i, NULL);

		count += object != NULL;
		free_object(ns, table, object);
	}
	PG_RETURN_INT32(count);
}

/* A worker of the load.  It ends as PostgreSQL's bgworker_die() does, or as backends do. */
void
jemctx_test_kill_worker_main(Datum arg)
{
	JemctxNamespace *ns;

	if (DatumGetBool(arg))
		pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	pg_prng_seed(&state, MyProcPid);
	ns = jemctx_namespace_find(MyBgworkerEntry->bgw_extra, false);
	for (;;)
	{
		use_both(ns);
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 1,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

/* Start one; its process. */
Datum
jemctx_test_kill_worker(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(start_worker("jemctx_test kill", "jemctx_test_kill_worker_main", 0,
								 text_to_cstring(PG_GETARG_TEXT_PP(0)),
								 BoolGetDatum(PG_GETARG_BOOL(1))));
}
