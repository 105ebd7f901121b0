/*-------------------------------------------------------------------------
 *
 * users.c
 *	  What PostgreSQL builds in contexts can be built in these.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

#include "lib/stringinfo.h"
#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"
#include "parser/parser.h"
#include "utils/hsearch.h"

#include "major.h"

PG_FUNCTION_INFO_V1(jemctx_test_list);
PG_FUNCTION_INFO_V1(jemctx_test_string);
PG_FUNCTION_INFO_V1(jemctx_test_hash);
PG_FUNCTION_INFO_V1(jemctx_test_parse_tree);

#define MANY 5000

Datum
jemctx_test_list(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);
	MemoryContext old = MemoryContextSwitchTo(context);
	List	   *list = NIL;
	int			expected = 0;
	ListCell   *cell;

	for (int i = 0; i < MANY; i++)
		list = i % 2 == 0 ? lappend_int(list, i) : lcons_int(i, list);
	check_equal(list_length(list), MANY);
	list_sort(list, list_int_cmp);
	list = list_delete_last(list);
	foreach(cell, list)
		check_equal(lfirst_int(cell), expected++);
	check_equal(expected, MANY - 1);
	list = list_concat_unique_int(list, list_make3_int(7, MANY, MANY - 1));
	check_equal(list_length(list), MANY + 1);
	check_equal(llast_int(list), MANY - 1);
	list_free(list);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	PG_RETURN_VOID();
}

/* A string grows while there are others in its way. */
Datum
jemctx_test_string(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);
	MemoryContext old = MemoryContextSwitchTo(context);
	StringInfoData strings[3];

	for (int s = 0; s < lengthof(strings); s++)
		initStringInfo(&strings[s]);
	for (int i = 0; i < MANY * 40; i++)
		appendStringInfo(&strings[i % lengthof(strings)], "%06d,", i);
	for (int s = 0; s < lengthof(strings); s++)
	{
		char	   *data = strings[s].data;

		for (int i = s; i < MANY * 40; i += lengthof(strings), data += 7)
			check_equal(strtol(data, NULL, 10), i);
		check_equal(data - strings[s].data, strings[s].len);
		check(GetMemoryChunkContext(strings[s].data) == context);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	PG_RETURN_VOID();
}

typedef struct Square
{
	int			number;
	int			square;
} Square;

static MemoryContext hash_context;

/* The tables of dynahash have a context of their own unless told otherwise. */
static void *
hash_alloc(MAJOR_HASH_ALLOC_ARGS)
{
	return MemoryContextAllocExtended(hash_context, size, MCXT_ALLOC_NO_OOM);
}

static void
use_hash(HTAB *table)
{
	bool		found;

	for (int i = 0; i < MANY; i++)
	{
		Square	   *square = hash_search(table, &i, HASH_ENTER, &found);

		check(!found);
		square->square = i * i;
	}
	for (int i = 0; i < MANY; i += 2)
		hash_search(table, &i, HASH_REMOVE, NULL);
	check_equal(hash_get_num_entries(table), MANY / 2);
	for (int i = 0; i < MANY; i++)
	{
		Square	   *square = hash_search(table, &i, HASH_FIND, &found);

		check(found == (i % 2 == 1));
		check_equal(found ? square->square : i * i, i * i);
	}
}

Datum
jemctx_test_hash(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);
	Size		empty = MemoryContextMemAllocated(context, false);
	HASHCTL		control = {.keysize = sizeof(int), .entrysize = sizeof(Square),
	.hcxt = context, .alloc = hash_alloc};
	HTAB	   *table;

	hash_context = context;
	table = hash_create("below", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	check(context->firstchild != NULL);
	use_hash(table);
	hash_destroy(table);
	check(context->firstchild == NULL);
	check_equal(MemoryContextMemAllocated(context, true), empty);

	table = hash_create("inside", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT | HASH_ALLOC);
	use_hash(table);
	check_compare(MemoryContextMemAllocated(context, false), >=, empty + MANY * sizeof(Square));
	MemoryContextDelete(context);
	PG_RETURN_VOID();
}

/* A parse tree that is made and copied here is the same as anywhere. */
Datum
jemctx_test_parse_tree(PG_FUNCTION_ARGS)
{
	const char *query = "WITH x AS (SELECT a, b + 1 AS c FROM t JOIN u USING (a)) "
	"SELECT c, 'text', 1.5, ARRAY[1, 2] FROM x WHERE c IN (1, 2, 3) ORDER BY c";
	MemoryContext context = test_context(fcinfo);
	List	   *expected = raw_parser(query, RAW_PARSE_DEFAULT);
	MemoryContext old = MemoryContextSwitchTo(context);
	List	   *tree = raw_parser(query, RAW_PARSE_DEFAULT);
	List	   *copy = copyObject(tree);

	MemoryContextSwitchTo(old);
	check(GetMemoryChunkContext(copy) == context);
	check(GetMemoryChunkContext(linitial_node(RawStmt, copy)->stmt) == context);
	check(copy != tree && equal(tree, expected) && equal(copy, expected));
	check(strcmp(nodeToString(copy), nodeToString(expected)) == 0);
	MemoryContextDelete(context);
	check_equal(list_length(expected), 1);
	PG_RETURN_VOID();
}
