/*-------------------------------------------------------------------------
 *
 * figures.c
 *	  Compare what the views tell with the model.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "figures.h"

/* Of the region, in percent: what must be there in one piece when nothing is in use. */
#define WHOLE_PERCENT 90

/* The row of a namespace. */
typedef struct Row
{
	bool		exists;
	int64_t		size_limit;
	int64_t		objects;
	int64_t		allocated;
	int64_t		cached;
	int64_t		free;
	int64_t		committed;
	int64_t		active;
	int64_t		mapped;
	int64_t		refused;
	int64_t		resident;
	bool		has_root;
} Row;

/* Why the figures are wrong. */
static const char *problem;

static int64_t
number_at(PGresult *result, int row, int column)
{
	return strtoll(PQgetvalue(result, row, column), NULL, 10);
}

static void
read_row(PGresult *result, int i, Row *row)
{
	row->exists = true;
	row->size_limit = number_at(result, i, 1);
	row->objects = number_at(result, i, 2);
	row->allocated = number_at(result, i, 3);
	row->cached = number_at(result, i, 4);
	row->free = number_at(result, i, 5);
	row->committed = number_at(result, i, 6);
	row->active = number_at(result, i, 7);
	row->mapped = number_at(result, i, 8);
	row->refused = number_at(result, i, 9);
	row->resident = number_at(result, i, 10);
	row->has_root = PQgetvalue(result, i, 11)[0] == 't';
}

static void
read_rows(PGconn *connection, Row *rows)
{
	PGresult   *result = server_query(connection,
									  "SELECT name, size_limit, objects, allocated, cached, "
									  "free, committed, active, mapped, refused, resident, "
									  "has_root FROM jemctx_namespaces");

	memset(rows, 0, SPACES * sizeof(Row));
	for (int i = 0; i < PQntuples(result); i++)
	{
		const char *name = PQgetvalue(result, i, 0);
		int			number = 0;

		while (number < SPACES && strcmp(name, formatted(SPACE_NAME, number)) != 0)
			number++;
		if (number == SPACES)
			finding(formatted("there is a namespace \"%s\"", name));
		read_row(result, i, &rows[number]);
	}
	PQclear(result);
}

/* What the objects of a namespace are together: those that are larger than that. */
static void
count_objects(int number, uint64_t larger, int64_t *objects, int64_t *bytes)
{
	*objects = *bytes = 0;
	for (int slot = number; slot < OBJECTS; slot += SPACES)
	{
		if (board->objects[slot].address != NULL && board->objects[slot].usable > larger)
		{
			*objects += 1;
			*bytes += board->objects[slot].usable;
		}
	}
}

#define MUST(condition) \
	do { \
		if (!(condition)) \
			return #condition; \
	} while (0)

/* What of a row is not so, or NULL. */
static const char *
compare(int number, const Row *row)
{
	const Space *space = &board->spaces[number];
	int64_t		objects;
	int64_t		bytes;

	MUST(row->exists == space->exists);
	if (!row->exists)
		return NULL;
	count_objects(number, 0, &objects, &bytes);
	MUST(row->objects == objects);
	MUST(row->allocated == bytes);
	MUST(row->size_limit == (int64_t) space->limit);
	MUST(row->has_root == (space->root != NULL));
	MUST(space->recount || row->refused == (int64_t) space->refused);
	MUST(row->cached >= 0 && row->free >= 0);
	MUST(row->allocated + row->cached + row->free == row->committed);
	MUST(row->active <= row->committed);
	MUST(row->resident >= 0 && row->resident <= row->committed);
	MUST(row->committed <= row->mapped);
	MUST(row->mapped <= (int64_t) REGION_BYTES);
	return NULL;
}

static int64_t
server_committed(PGconn *connection)
{
	PGresult   *result = server_query(connection, "SELECT namespaces FROM jemctx_server");
	int64_t		committed = number_at(result, 0, 0);

	PQclear(result);
	return committed;
}

static const char *
describe(int number, const Row *row, const char *wrong)
{
	return formatted("namespace %d: not %s; limit %lld objects %lld allocated %lld cached "
					 "%lld free %lld "
					 "committed %lld active %lld resident %lld mapped %lld refused %lld root %d",
					 number, wrong, (long long) row->size_limit, (long long) row->objects,
					 (long long) row->allocated, (long long) row->cached, (long long) row->free,
					 (long long) row->committed, (long long) row->active, (long long) row->resident,
					 (long long) row->mapped, (long long) row->refused, row->has_root);
}

/*
 * Figures are taken one after the other, and the keeper works by its clock: they
 * may be right the next time.
 */
static bool
are_right(PGconn *connection, Row *rows)
{
	int64_t		committed = 0;
	int64_t		all;

	read_rows(connection, rows);
	for (int i = 0; i < SPACES; i++)
	{
		const char *wrong = compare(i, &rows[i]);

		committed += rows[i].committed;
		if (wrong == NULL)
			continue;
		problem = describe(i, &rows[i], wrong);
		return false;
	}
	/* it counts what the keeper has yet to give back, too */
	all = server_committed(connection);
	problem = formatted("jemctx_server has %lld bytes in namespaces, jemctx_namespaces %lld",
						(long long) all, (long long) committed);
	return all >= committed;
}

void
figures_check(PGconn *connection)
{
	Row			rows[SPACES];

	UNTIL(are_right(connection, rows), problem);
	for (int i = 0; i < SPACES; i++)
	{
		board->spaces[i].committed = rows[i].committed;
		board->spaces[i].refused = rows[i].refused;
		board->spaces[i].recount = false;
	}
}

/*
 * Of those that created and dropped it at once, some have succeeded.  Can that
 * be?  One that was dropped is to have been there; that two sessions both drop
 * it is as good.
 */
static void
check_race(int number, bool exists)
{
	const Space *space = &board->spaces[number];
	int			ended = (int) space->created + space->exists - exists;

	if (ended > (int) space->dropped || (ended == 0 && space->dropped > 0))
		finding(formatted("namespace %d was %s, was created %u times and dropped %u "
						  "times, and is %s", number,
						  space->exists ? "there" : "not there", space->created, space->dropped,
						  exists ? "there" : "not there"));
}

void
figures_settle(PGconn *connection, int number, bool raced, bool interrupted)
{
	Space	   *space = &board->spaces[number];
	Row			rows[SPACES];
	const char *sql;

	if (raced && !interrupted)
	{
		read_rows(connection, rows);
		check_race(number, rows[number].exists);
	}
	/* a request that was interrupted may be carried out at any time */
	sql = formatted("SELECT jemctx_namespace_drop(name) FROM jemctx_namespaces "
					"WHERE name = '" SPACE_NAME "'", number);
	if (PQsendQuery(connection, sql))
	{
		PGresult   *result = server_answer(connection);
		const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

		if (sqlstate != NULL && !(interrupted && strcmp(sqlstate, "42704") == 0))
			finding(formatted("%s: %s", sql, PQresultErrorMessage(result)));
		PQclear(result);
	}
	space->exists = space->unsure = false;
	space->root = NULL;
	space->settled++;
	for (int slot = number; slot < OBJECTS; slot += SPACES)
		board->objects[slot].address = NULL;
}

/* What jemctx_bins has is what jemctx_namespaces has, but for large objects. */
static bool
bins_are_right(PGconn *connection, int number)
{
	Row			rows[SPACES];
	PGresult   *result = server_query(connection,
									  formatted("SELECT sum(curregs * size) FROM jemctx_bins "
												"WHERE namespace = '" SPACE_NAME "'", number));
	int64_t		small = number_at(result, 0, 0);
	int64_t		objects;
	int64_t		large;

	PQclear(result);
	read_rows(connection, rows);
	count_objects(number, SMALL_OBJECT, &objects, &large);
	problem = formatted("namespace %d: %lld bytes in bins, %lld in large objects, %lld "
						"allocated, %lld cached", number,
						(long long) small, (long long) large,
						(long long) rows[number].allocated, (long long) rows[number].cached);
	return small + large == rows[number].allocated + rows[number].cached;
}

void
figures_check_empty(PGconn *connection)
{
	for (int i = 0; i < SPACES; i++)
		UNTIL(bins_are_right(connection, i), problem);
	for (int i = 0; i < SPACES; i++)
	{
		if (board->spaces[i].exists)
			figures_settle(connection, i, false, false);
	}
	figures_check(connection);
	PQclear(server_query(connection, formatted("SELECT jemctx_fuzz_whole(%llu)",
											   REGION_BYTES / 100ULL * WHOLE_PERCENT)));
	PQclear(server_query(connection, "SELECT jemctx_purge_all()"));
	UNTIL(server_committed(connection) == 0, "there is memory in namespaces, but no namespace");
}
