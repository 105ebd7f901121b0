/*-------------------------------------------------------------------------
 *
 * jemctx_fuzz.c
 *	  Perform what the fuzzer has put into the queue of a session.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_fuzz.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(jemctx_fuzz);
PG_FUNCTION_INFO_V1(jemctx_fuzz_whole);

#define END_BYTES 128
#define PAGE_BYTES 4096

int			fuzz_allowed;
bool		fuzz_limited;

/* The next place in data of that size that is painted. */
static inline Size
next_place(Size place, Size size)
{
	if (place < END_BYTES || place + END_BYTES >= size)
		return place + 1;
	return Min(place + PAGE_BYTES, size - END_BYTES);
}

static inline char
paint_of(Size place, uint8 seed)
{
	return (char) (seed + place * 7 + place / PAGE_BYTES);
}

void
paint(char *data, Size size, uint8 seed)
{
	for (Size place = 0; place < size; place = next_place(place, size))
		data[place] = paint_of(place, seed);
}

/* Data of that size was painted, and so much of it must be as it was. */
void
check_painted(const char *data, Size size, Size kept, uint8 seed)
{
	for (Size place = 0; place < Min(size, kept); place = next_place(place, size))
	{
		if (data[place] != paint_of(place, seed))
			wrong("byte %zu of %zu at %p is %d, not %d", place, size, data, data[place],
				  paint_of(place, seed));
	}
}

void
check_zero(const char *data, Size size)
{
	for (Size place = 0; place < size; place = next_place(place, size))
	{
		if (data[place] != 0)
			wrong("byte %zu of %zu at %p is not zero", place, size, data);
	}
}

bool
size_is_valid(const Op *op)
{
	return op->flags & OP_HUGE ? AllocHugeSizeIsValid(op->size) : AllocSizeIsValid(op->size);
}

int
alloc_flags(const Op *op)
{
	return (op->flags & OP_NO_OOM ? MCXT_ALLOC_NO_OOM : 0) |
		(op->flags & OP_ZERO ? MCXT_ALLOC_ZERO : 0) |
		(op->flags & OP_HUGE ? MCXT_ALLOC_HUGE : 0);
}

/* The first column of the first row. */
int64
query(const char *sql)
{
	bool		isnull;
	int64		value;

	SPI_connect();
	SPI_execute(sql, false, 0);
	if (SPI_processed == 0)
		wrong("no row: %s", sql);
	value = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	return isnull ? 0 : value;
}

static void
set_limit(int kilobytes)
{
	SetConfigOption("jemctx.backend_memory_limit", psprintf("%d", kilobytes), PGC_SUSET,
					PGC_S_SESSION);
	fuzz_limited = kilobytes > 0;
}

static void
purge(int what)
{
	if (what % 3 == 0)
		query("SELECT jemctx_purge()");
	else if (what % 3 == 1)
		query("SELECT jemctx_purge_all()");
	else
		query("SELECT count(jemctx_purge(pid)) FROM pg_stat_activity WHERE backend_type = "
			  "'client backend'");
}

/* While others work figures need not add up, but each must be one that can be. */
static void
look(void)
{
	if (query("SELECT count(*) FROM jemctx_namespaces WHERE "
			  "least(allocated, cached, free, committed, active, resident, mapped, "
			  "objects, refused) < 0") > 0)
		wrong("a figure of jemctx_namespaces is negative");
	if (query("SELECT count(*) FROM jemctx_bins WHERE utilization > 1 OR "
			  "least(curregs, waste) < 0") > 0)
		wrong("a figure of jemctx_bins cannot be");
	if (query("SELECT count(*) FROM jemctx_backends WHERE least(committed, allocated, active, "
			  "cache, purged) < 0") > 0)
		wrong("a figure of jemctx_backends is negative");
	if (query("SELECT count(*) FROM jemctx_server WHERE least(committed, namespaces) < 0") > 0)
		wrong("a figure of jemctx_server is negative");
}

static void
perform(Op *op)
{
	if (op->raced && op_uses_space(op))
		space_race(op);
	else if (op_takes_space(op))
		space_perform(op);
	else if (op_uses_space(op))
		object_perform(op);
	else if (op->code == LIMIT)
	{
		fuzz_allowed |= MAY_BE_REJECTED;
		set_limit((op->number % 8) * 4096);
	}
	else if (op->code == PURGE)
		purge(op->number);
	else if (op->code == LOOK)
		look();
	else
		context_perform(op);
}

/* What an error is in the model; 0 for one that it does not know. */
static int
meaning(const ErrorData *error)
{
	switch (error->sqlerrcode)
	{
		case ERRCODE_OUT_OF_MEMORY:
			return MAY_BE_REFUSED;
		case ERRCODE_UNDEFINED_OBJECT:
			return MAY_MISS;
		case ERRCODE_DUPLICATE_OBJECT:
			return MAY_EXIST;
		case ERRCODE_INVALID_PARAMETER_VALUE:
			return MAY_BE_REJECTED;
		case ERRCODE_INTERNAL_ERROR:
			return strstr(error->message, "memory alloc request size") ? MAY_BE_TOO_LARGE : 0;
		default:
			return 0;
	}
}

/* An operation has failed.  Was that to be expected? */
static void
judge(Op *op, ErrorData *error)
{
	Space	   *space = &fuzz_board->spaces[space_of_slot(op->slot)];
	bool		cancelled = error->sqlerrcode == ERRCODE_QUERY_CANCELED;
	bool		limited = fuzz_limited && (fuzz_allowed & NEEDS_NO_MEMORY) == 0;

	strlcpy(op->sqlstate, unpack_sql_state(error->sqlerrcode), sizeof(op->sqlstate));
	if (op->raced)
		space_race_failed(op, cancelled);
	if (!cancelled && (meaning(error) & (fuzz_allowed | (limited ? MAY_BE_REFUSED : 0))) == 0)
		ReThrowError(error);
	if (!op_uses_space(op))
		return;
	if (cancelled || fuzz_limited)
		space->recount = true;
	else if (meaning(error) == MAY_BE_REFUSED)
		space->refused++;
	if (cancelled && op_takes_space(op))
		space->unsure = true;
}

static void
run(Op *op)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	op->state = OP_RUNS;
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	fuzz_allowed = MAY_SUCCEED;
	PG_TRY();
	{
		perform(op);
		if ((fuzz_allowed & MAY_SUCCEED) == 0)
			wrong("what must fail has not failed");
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		judge(op, error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	op->state = OP_DONE;
}

Datum
jemctx_fuzz(PG_FUNCTION_ARGS)
{
	Queue	   *queue = &fuzz_board->queues[PG_GETARG_INT32(0)];

	fuzz_limited = false;
	for (uint32 i = 0; i < queue->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		run(&queue->ops[i]);
	}
	if (fuzz_limited)
		set_limit(0);
	contexts_check();
	PG_RETURN_VOID();
}

Datum
jemctx_fuzz_whole(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = jemctx_namespace_create("whole", 0);
	char	   *object = jemctx_namespace_allocate(ns, PG_GETARG_INT64(0), MCXT_ALLOC_HUGE);

	*object = 1;
	jemctx_namespace_drop("whole");
	PG_RETURN_VOID();
}
