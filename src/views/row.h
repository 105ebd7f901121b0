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

typedef struct Row
{
	ReturnSetInfo *result;
	int			columns;
	Datum		values[ROW_MAX_COLUMNS];
	bool		nulls[ROW_MAX_COLUMNS];
} Row;

/* Make the function's result a tuplestore of its declared row type. */
static inline void
row_begin(Row *row, FunctionCallInfo fcinfo)
{
	InitMaterializedSRF(fcinfo, 0);
	row->result = (ReturnSetInfo *) fcinfo->resultinfo;
	row->columns = 0;
}

static inline void
row_datum(Row *row, Datum value, bool isnull)
{
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

/* Store the row and begin the next one.  However many there are, that can be interrupted. */
static inline void
row_end(Row *row)
{
	Assert(row->columns == row->result->setDesc->natts);
	tuplestore_putvalues(row->result->setResult, row->result->setDesc,
						 row->values, row->nulls);
	row->columns = 0;
	CHECK_FOR_INTERRUPTS();
}

/* Begin the row again. */
static inline void
row_drop(Row *row)
{
	row->columns = 0;
}

#endif							/* JEMCTX_ROW_H */
