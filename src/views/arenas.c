/*-------------------------------------------------------------------------
 *
 * arenas.c
 *	  jemctx_arenas and jemctx_bins: jemalloc's statistics of this process.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arena/arena.h"
#include "compat/compat.h"
#include "jemalloc/mallctl.h"
#include "views/namespaces.h"
#include "views/row.h"

COMPAT_FUNCTION(jemctx_get_arenas);
COMPAT_FUNCTION(jemctx_get_bins);

/* A column of jemctx_arenas: the sum of one or two nodes, in bytes or in pages. */
typedef struct ArenaColumn
{
	const char *node;
	const char *second;
	bool		pages;
} ArenaColumn;

enum
{
	ALLOCATED,
	ACTIVE,
	NMALLOC = 8
};

static const ArenaColumn arena_columns[] = {
	[ALLOCATED] = {"stats.arenas.%u.small.allocated", "stats.arenas.%u.large.allocated", false},
	[ACTIVE] = {"stats.arenas.%u.pactive", NULL, true},
	{"stats.arenas.%u.pdirty", NULL, true},
	{"stats.arenas.%u.pmuzzy", NULL, true},
	{"stats.arenas.%u.retained", NULL, false},
	{"stats.arenas.%u.mapped", NULL, false},
	{"stats.arenas.%u.resident", NULL, false},
	{"stats.arenas.%u.base", "stats.arenas.%u.internal", false},
	[NMALLOC] = {"stats.arenas.%u.small.nmalloc", "stats.arenas.%u.large.nmalloc", false},
	{"stats.arenas.%u.small.ndalloc", "stats.arenas.%u.large.ndalloc", false},
};

static int64
arena_value(const ArenaColumn *column, unsigned arena)
{
	uint64		value = mallctl_uint64(mallctl_arena(column->node, arena));

	if (column->second)
		value += mallctl_uint64(mallctl_arena(column->second, arena));
	if (column->pages)
		value *= mallctl_size("arenas.page");
	return (int64) value;
}

/* Our own count, which is not among jemalloc's. */
static void
committed_column(Row *row, Arena *arena)
{
	if (arena != NULL)
		row_int64(row, pg_atomic_read_u64(&arena->hooks.committed));
	else
		row_null(row);
}

static void
arena_row(Row *row, unsigned index)
{
	Arena	   *arena = arena_by_index(index);
	int64		values[lengthof(arena_columns)];

	row_int32(row, (int32) index);
	row_text(row, arena ? arena->name : "automatic");
	row_text(row, arena ? arena->lifetime : process_arena.lifetime);
	for (int i = 0; i < lengthof(arena_columns); i++)
	{
		if (i == NMALLOC)
			committed_column(row, arena);
		row_int64(row, values[i] = arena_value(&arena_columns[i], index));
	}
	if (values[ACTIVE] > 0)
		row_float8(row, 1.0 - (float8) values[ALLOCATED] / values[ACTIVE]);
	else
		row_null(row);
	row_end(row);
}

/* Call show for every arena of this process that exists. */
static void
for_each_arena(Row *row, FunctionCallInfo fcinfo, void (*show) (Row *row, unsigned arena))
{
	unsigned	narenas;

	/* before the figures are taken, so that they have it in */
	row_begin(row, fcinfo);
	mallctl_refresh();
	narenas = mallctl_unsigned("arenas.narenas");
	for (unsigned arena = 0; arena < narenas; arena++)
	{
		if (mallctl_bool(mallctl_arena("arena.%u.initialized", arena)))
			show(row, arena);
	}
}

Datum
jemctx_get_arenas(PG_FUNCTION_ARGS)
{
	Row			row;

	for_each_arena(&row, fcinfo, arena_row);
	return (Datum) 0;
}

/* The value of a size class in an arena. */
static size_t
class_value(const char *format, unsigned arena, unsigned class)
{
	char		name[64];

	snprintf(name, sizeof(name), format, arena, class);
	return mallctl_size(name);
}

static void
small_bin_row(Row *row, unsigned arena, unsigned class)
{
	size_t		size = mallctl_size(mallctl_arena("arenas.bin.%u.size", class));
	size_t		regs = mallctl_uint32(mallctl_arena("arenas.bin.%u.nregs", class));
	size_t		slab_size = mallctl_size(mallctl_arena("arenas.bin.%u.slab_size", class));
	size_t		curregs = class_value("stats.arenas.%u.bins.%u.curregs", arena, class);
	size_t		curslabs = class_value("stats.arenas.%u.bins.%u.curslabs", arena, class);

	if (curslabs == 0)
		return;
	row_int32(row, (int32) arena);
	row_int64(row, size);
	row_int64(row, curregs);
	row_int64(row, curslabs);
	row_int64(row, class_value("stats.arenas.%u.bins.%u.nonfull_slabs", arena, class));
	row_float8(row, (float8) curregs / (curslabs * regs));
	row_int64(row, curslabs * slab_size - curregs * size);
	row_null(row);
	row_end(row);
}

/* A large object has its pages for itself. */
static void
large_bin_row(Row *row, unsigned arena, unsigned class)
{
	size_t		count = class_value("stats.arenas.%u.lextents.%u.curlextents", arena, class);

	if (count == 0)
		return;
	row_int32(row, (int32) arena);
	row_int64(row, mallctl_size(mallctl_arena("arenas.lextent.%u.size", class)));
	row_int64(row, count);
	row_null(row);
	row_null(row);
	row_float8(row, 1.0);
	row_int64(row, 0);
	row_null(row);
	row_end(row);
}

static void
bin_rows(Row *row, unsigned arena)
{
	unsigned	nbins = mallctl_unsigned("arenas.nbins");
	unsigned	nlextents = mallctl_unsigned("arenas.nlextents");

	for (unsigned class = 0; class < nbins; class++)
		small_bin_row(row, arena, class);
	for (unsigned class = 0; class < nlextents; class++)
		large_bin_row(row, arena, class);
}

Datum
jemctx_get_bins(PG_FUNCTION_ARGS)
{
	Row			row;

	for_each_arena(&row, fcinfo, bin_rows);
	namespace_bin_rows(&row);
	return (Datum) 0;
}
