/*-------------------------------------------------------------------------
 *
 * sqlworker.c
 *	  A background worker that carries out a statement again and again, as
 *	  those that schedule work do.
 *
 * Each time is a transaction of its own.  What has become of it goes into the
 * table "outcomes", in another.  Then it rests until it is ended.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/latch.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(jemctx_test_sql_worker);

extern PGDLLEXPORT void jemctx_test_sql_worker_main(Datum arg);

/* What it does about an error. */
typedef enum Means
{
	NONE = 'n',					/* nothing: the process ends */
	TRANSACTION = 't',			/* aborts the transaction */
	SUBTRANSACTION = 's'		/* goes back to where a subtransaction began */
} Means;

static void
execute(const char *sql, const char *outcome)
{
	Datum		value = outcome ? CStringGetTextDatum(outcome) : (Datum) 0;

	PushActiveSnapshot(GetTransactionSnapshot());
	SPI_connect();
	pgstat_report_activity(STATE_RUNNING, sql);
	if (SPI_execute_with_args(sql, outcome ? 1 : 0, (Oid[]) {TEXTOID}, &value, NULL, false, 0) < 0)
		elog(ERROR, "cannot execute: %s", sql);
	SPI_finish();
	PopActiveSnapshot();
	pgstat_report_activity(STATE_IDLE, NULL);
}

/* In a transaction. */
static void
try_subtransaction(const char *sql, MemoryContext context, char *volatile *outcome)
{
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	PG_TRY();
	{
		execute(sql, NULL);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		*outcome = pstrdup(unpack_sql_state(geterrcode()));
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	CurrentResourceOwner = owner;
}

static const char *
carry_out(const char *sql, Means means, MemoryContext context)
{
	char	   *volatile outcome = "done";

	PG_TRY();
	{
		StartTransactionCommand();
		if (means == SUBTRANSACTION)
			try_subtransaction(sql, context, &outcome);
		else
			execute(sql, NULL);
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		if (means == NONE)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		outcome = pstrdup(unpack_sql_state(geterrcode()));
		HOLD_INTERRUPTS();
		FlushErrorState();
		AbortCurrentTransaction();
		RESUME_INTERRUPTS();
	}
	PG_END_TRY();
	return outcome;
}

void
jemctx_test_sql_worker_main(Datum arg)
{
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "test", ALLOCSET_DEFAULT_SIZES);
	Oid			database;
	Oid			user;
	int			rounds;
	char		means;
	int			sql;

	BackgroundWorkerUnblockSignals();
	/* NOLINTNEXTLINE(cert-err34-c): the numbers are what the launching function wrote */
	if (sscanf(MyBgworkerEntry->bgw_extra, "%u %u %d %c %n", &database, &user, &rounds, &means,
			   &sql) != 4)
		elog(ERROR, "no such work: %s", MyBgworkerEntry->bgw_extra);
	BackgroundWorkerInitializeConnectionByOid(database, user, 0);
	while (rounds-- > 0)
	{
		const char *outcome = carry_out(MyBgworkerEntry->bgw_extra + sql, (Means) means, context);

		CHECK_FOR_INTERRUPTS();
		StartTransactionCommand();
		execute("INSERT INTO outcomes VALUES ($1)", outcome);
		CommitTransactionCommand();
		MemoryContextReset(context);
	}
	for (;;)
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH, 0, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

/* Start one; its process. */
Datum
jemctx_test_sql_worker(PG_FUNCTION_ARGS)
{
	char	   *work = psprintf("%u %u %d %s %s", MyDatabaseId, GetUserId(), PG_GETARG_INT32(1),
								text_to_cstring(PG_GETARG_TEXT_PP(2)),
								text_to_cstring(PG_GETARG_TEXT_PP(0)));

	check_compare(strlen(work), <, BGW_EXTRALEN);
	PG_RETURN_INT32(start_worker("jemctx_test sql", "jemctx_test_sql_worker_main",
								 BGWORKER_BACKEND_DATABASE_CONNECTION, work, (Datum) 0));
}
