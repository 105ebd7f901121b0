/*-------------------------------------------------------------------------
 *
 * row.h
 *	  Rows of the set-returning functions, column after column.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_ROW_H
#define JEMCTX_ROW_H

#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#define ROW_MAX_COLUMNS 24

/*
 * A database has an older version of the extension than the module until
 * somebody updates it there.  A function that has got columns since has another
 * name in C for them, and the old one stays, for the old declaration.
 */
typedef enum RowVersion
{
	ROW_1_0,
	ROW_1_1
} RowVersion;

typedef struct Row
{
	ReturnSetInfo *result;
	RowVersion	declared;		/* whose columns the result has */
	RowVersion	since;			/* when the next columns came */
	int			columns;
	Datum		values[ROW_MAX_COLUMNS];
	bool		nulls[ROW_MAX_COLUMNS];
} Row;

/*
 * The functions NAME, of version 1.0, and NAME_1_1, of all later ones, whose rows
 * the function rows(fcinfo, version) makes.
 */
#define ROW_FUNCTIONS(name, rows) \
Datum \
name(PG_FUNCTION_ARGS) \
{ \
	rows(fcinfo, ROW_1_0); \
	return (Datum) 0; \
} \
Datum \
name##_1_1(PG_FUNCTION_ARGS) \
{ \
	rows(fcinfo, ROW_1_1); \
	return (Datum) 0; \
}

/* Make the function's result a tuplestore of its declared row type, which is that version's. */
static inline void
row_begin_as(Row *row, FunctionCallInfo fcinfo, RowVersion declared)
{
	InitMaterializedSRF(fcinfo, 0);
	row->result = (ReturnSetInfo *) fcinfo->resultinfo;
	row->declared = declared;
	row->since = ROW_1_0;
	row->columns = 0;
}

/* The same for a function that has had these columns always. */
static inline void
row_begin(Row *row, FunctionCallInfo fcinfo)
{
	row_begin_as(row, fcinfo, ROW_1_0);
}

/* The columns that follow came with that version: older ones do not get them. */
static inline void
row_since(Row *row, RowVersion version)
{
	row->since = version;
}

static inline void
row_datum(Row *row, Datum value, bool isnull)
{
	if (row->since > row->declared)
		return;
	Assert(row->columns < ROW_MAX_COLUMNS);
	row->values[row->columns] = value;
	row->nulls[row->columns++] = isnull;
}

static inline void
row_null(Row *row)
{
	row_datum(row, (Datum) 0, true);
}

/* So many of them. */
static inline void
row_nulls(Row *row, int count)
{
	while (count-- > 0)
		row_null(row);
}

static inline void
row_int64(Row *row, int64 value)
{
	row_datum(row, Int64GetDatum(value), false);
}

static inline void
row_int32(Row *row, int32 value)
{
	row_datum(row, Int32GetDatum(value), false);
}

static inline void
row_float8(Row *row, float8 value)
{
	row_datum(row, Float8GetDatum(value), false);
}

static inline void
row_timestamptz(Row *row, TimestampTz value)
{
	row_datum(row, TimestampTzGetDatum(value), false);
}

/* NULL gives NULL. */
static inline void
row_text(Row *row, const char *value)
{
	row_datum(row, value ? CStringGetTextDatum(value) : (Datum) 0, value == NULL);
}

/* Has the row as many columns as were declared?  Not with a script that is not the module's. */
static inline void
row_check_declared(const Row *row)
{
	int			declared = row->result->setDesc->natts;

	if (row->columns != declared)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("a function of jemctx is declared with %d columns, but has %d",
						declared, row->columns),
				 errhint("Run ALTER EXTENSION jemctx UPDATE, after a restart if a new version "
						 "was installed since the server was started.")));
}

/* Store the row and begin the next one.  However many there are, that can be interrupted. */
static inline void
row_end(Row *row)
{
	row_check_declared(row);
	tuplestore_putvalues(row->result->setResult, row->result->setDesc,
						 row->values, row->nulls);
	row->columns = 0;
	row->since = ROW_1_0;
	CHECK_FOR_INTERRUPTS();
}

/* Begin the row again. */
static inline void
row_drop(Row *row)
{
	row->columns = 0;
	row->since = ROW_1_0;
}

#endif							/* JEMCTX_ROW_H */
