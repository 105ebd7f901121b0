/*-------------------------------------------------------------------------
 *
 * dispatch.c
 *	  How PostgreSQL finds the methods of our contexts.
 *
 * In 15 a context has a pointer to them, and a chunk one to its context.  From
 * 16 on a chunk has the number of a row in a table of PostgreSQL's, which is
 * constant and has no place for others.  But rows of it are not in use: what
 * they have raises PostgreSQL's error about a bad pointer.  We take some, in
 * the postmaster and before there is any chunk of ours, so all its children
 * have them.
 *
 * The table has no name that we could ask for.  TopMemoryContext is an
 * AllocSet, and has a pointer to the AllocSets' row.  Everything else that is
 * known of the table is looked at before anything is written: the rows of
 * PostgreSQL's own types, function by function; those not in use; and what the
 * kernel says of its pages.  If anything is different, now or when the rows
 * have been tried, nothing stays written, and there are no contexts of ours in
 * this server.
 *
 * Another module may do the same.  If it came first, the row that we want is
 * not as it was; if it comes after us and does not look, then our row is not
 * ours any more when all modules are loaded, and the server must not start.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/mman.h>
#include <unistd.h>

#include "storage/fd.h"

#include "compat/dispatch.h"
#include "compat/shmem.h"

bool		dispatch_works = false;

/* Why not: room for a sentence. */
static char problem[160];

#if PG_VERSION_NUM >= 160000

#define MAX_ROWS 3

/* 16 has 8, the others 16. */
#define TABLE_ROWS (MEMORY_CONTEXT_METHODID_MASK + 1)

/* PostgreSQL's table, and what is in a row that is not in use. */
static MemoryContextMethods *table;
static MemoryContextMethods unused_row;

/* The rows that we take, and what is to be in them. */
typedef struct Row
{
	int			number;
	MemoryContextMethods methods;
} Row;

static Row	rows[MAX_ROWS];
static int	nrows;
static bool is_written;

/* The rows of PostgreSQL's own types. */
#ifdef MEMORY_CONTEXT_CHECKING
#define OWN_CHECK(Type) .check = Type##Check
#else
#define OWN_CHECK(Type)
#endif
#define OWN_CHUNKS(Type) \
	.free_p = Type##Free, \
	.realloc = Type##Realloc, \
	.get_chunk_context = Type##GetChunkContext, \
	.get_chunk_space = Type##GetChunkSpace
#define OWN_TYPE(Type) { \
	OWN_CHUNKS(Type), \
	.alloc = Type##Alloc, \
	.reset = Type##Reset, \
	.delete_context = Type##Delete, \
	.is_empty = Type##IsEmpty, \
	.stats = Type##Stats, \
	OWN_CHECK(Type) \
}

static const struct
{
	int			number;
	const char *name;
	MemoryContextMethods methods;
}			own_rows[] = {
	{MCTX_ASET_ID, "AllocSet", OWN_TYPE(AllocSet)},
	{MCTX_GENERATION_ID, "Generation", OWN_TYPE(Generation)},
	{MCTX_SLAB_ID, "Slab", OWN_TYPE(Slab)},
	{MCTX_ALIGNED_REDIRECT_ID, "AlignedAlloc", {OWN_CHUNKS(AlignedAlloc)}},
#if PG_VERSION_NUM >= 170000
	{MCTX_BUMP_ID, "Bump", OWN_TYPE(Bump)},
#endif
};

/* The pages that the table lies in. */
typedef struct Mapping
{
	uintptr_t	start;
	uintptr_t	end;
	char		mode[5];		/* as in "rw-p" */
} Mapping;

static bool
same_rows(const MemoryContextMethods *a, const MemoryContextMethods *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* Look for the mapping that has the address in it; false if there is none. */
static bool
find_mapping(uintptr_t address, Mapping *mapping)
{
	char		line[MAXPGPATH];
	bool		found = false;
	FILE	   *file = AllocateFile("/proc/self/maps", "r");

	if (file == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), file) != NULL)
	{
		char	   *rest;

		mapping->start = strtoul(line, &rest, 16);
		mapping->end = *rest == '-' ? strtoul(rest + 1, &rest, 16) : 0;
		found = address >= mapping->start && address < mapping->end && *rest == ' ';
		if (found)
			strlcpy(mapping->mode, rest + 1, sizeof(mapping->mode));
	}
	FreeFile(file);
	return found;
}

/* What is not as it should be where the table is, or NULL. */
static const char *
fault_of_pages(Mapping *mapping)
{
	if (!find_mapping((uintptr_t) table, mapping))
		return "its pages are not known";
	if (mapping->end < (uintptr_t) (table + TABLE_ROWS))
		return "it does not lie in one mapping";
	if (strcmp(mapping->mode, "r--p") != 0 && strcmp(mapping->mode, "rw-p") != 0)
		return "its pages are not private data";
	return NULL;
}

/* The same of the rows that we do not want. */
static const char *
fault_of_rows(void)
{
	for (int i = 0; i < lengthof(own_rows); i++)
	{
		if (!same_rows(&table[own_rows[i].number], &own_rows[i].methods))
			return psprintf("its row %d is not that of %s", own_rows[i].number, own_rows[i].name);
	}
	unused_row = table[0];
	if (unused_row.free_p == NULL || unused_row.alloc != NULL ||
		!same_rows(&table[1], &unused_row) || !same_rows(&table[2], &unused_row))
		return "its rows 0 to 2 are not unused ones";
	return NULL;
}

/* And of those that we want. */
static const char *
fault_of_wanted(void)
{
	for (int i = 0; i < nrows; i++)
	{
		if (!same_rows(&table[rows[i].number], &unused_row))
			return psprintf("another module has taken its row %d", rows[i].number);
	}
	return NULL;
}

/* Change the protection of the table's pages, unless they can be written to anyway. */
static bool
protect(const Mapping *mapping, int protection)
{
	uintptr_t	mask = (uintptr_t) sysconf(_SC_PAGESIZE) - 1;
	uintptr_t	start = (uintptr_t) table & ~mask;
	uintptr_t	end = ((uintptr_t) (table + TABLE_ROWS) + mask) & ~mask;

	return mapping->mode[1] == 'w' || mprotect((void *) start, end - start, protection) == 0;
}

/* Have the rows be ours, or not in use. */
static const char *
write_rows(const Mapping *mapping, bool be_ours)
{
	if (!protect(mapping, PROT_READ | PROT_WRITE))
		return psprintf("its pages cannot be written to: %m");
	for (int i = 0; i < nrows; i++)
		table[rows[i].number] = be_ours ? rows[i].methods : unused_row;
	is_written = be_ours;
	if (!protect(mapping, PROT_READ))
		return psprintf("its pages cannot be protected: %m");
	return NULL;
}

/*
 * The row of those who have none of their own: the context knows.  In 16 the
 * fourth bit is no part of the number.  It is not set in a chunk of ours, but
 * it is where PostgreSQL has wiped memory.
 */
static const MemoryContextMethods *
methods_of(const void *pointer)
{
#if PG_VERSION_NUM < 170000
	if ((pointer_owner(pointer) & (CONTEXT_ALIGNMENT - 1)) != ROW_ANY)
		return &unused_row;
#endif
	return pointer_context(pointer)->methods;
}

static void
any_free(void *pointer)
{
	methods_of(pointer)->free_p(pointer);
}

#if PG_VERSION_NUM >= 170000
static void *
any_realloc(void *pointer, Size size, int flags)
{
	return methods_of(pointer)->realloc(pointer, size, flags);
}
#else
static void *
any_realloc(void *pointer, Size size)
{
	return methods_of(pointer)->realloc(pointer, size);
}
#endif

static MemoryContext
any_get_chunk_context(void *pointer)
{
	return methods_of(pointer)->get_chunk_context(pointer);
}

static Size
any_get_chunk_space(void *pointer)
{
	return methods_of(pointer)->get_chunk_space(pointer);
}

static const MemoryContextMethods any_methods = {
	.free_p = any_free,
	.realloc = any_realloc,
	.get_chunk_context = any_get_chunk_context,
	.get_chunk_space = any_get_chunk_space,
};

/* When all modules have been loaded: are our rows still ours? */
static void
look_again(void)
{
	for (int i = 0; dispatch_works && i < nrows; i++)
	{
		if (!same_rows(&table[rows[i].number], &rows[i].methods))
			ereport(FATAL,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("another module has taken the methods of memory contexts from jemctx"),
					 errdetail("It has changed row %d of PostgreSQL's table of methods after "
							   "jemctx was loaded.", rows[i].number),
					 errhint("Name jemctx after that module in shared_preload_libraries, or "
							 "without it.")));
	}
}

static void
want(int number, const MemoryContextMethods *methods)
{
	if (methods != NULL)
		rows[nrows++] = (Row) {number, *methods};
}

/* Take the rows; what keeps us from it, or NULL. */
static const char *
take(void)
{
	Mapping		mapping;
	const char *fault;

	table = (MemoryContextMethods *) TopMemoryContext->methods - MCTX_ASET_ID;
	if ((fault = fault_of_pages(&mapping)) != NULL || (fault = fault_of_rows()) != NULL ||
		(fault = fault_of_wanted()) != NULL)
		return fault;
	return write_rows(&mapping, true);
}

/* Leave the table as it was. */
static void
give_back(void)
{
	Mapping		mapping;

	if (is_written && find_mapping((uintptr_t) table, &mapping))
		(void) write_rows(&mapping, false);
}

/*
 * In the postmaster, or a standalone backend, while it loads modules: have
 * PostgreSQL find the methods of chunks by rows for these types, unless they
 * are NULL, and one for all others.
 */
void
dispatch_enter(const MemoryContextMethods *transient, const MemoryContextMethods *persistent)
{
	const char *fault;

	want(ROW_ANY, &any_methods);
#if PG_VERSION_NUM >= 170000
	want(ROW_TRANSIENT, transient);
	want(ROW_PERSISTENT, persistent);
#endif
	dispatch_works = true;
	fault = take();
	if (fault != NULL)
		dispatch_give_up(psprintf("PostgreSQL's table of methods is not as expected: %s", fault));
	else
		shmem_at_start(look_again);
}

#else

/* Every context has a pointer to its methods. */
void
dispatch_enter(const MemoryContextMethods *transient, const MemoryContextMethods *persistent)
{
	dispatch_works = true;
}

#endif

/* There can be no contexts of ours, as far as is known for that reason. */
void
dispatch_give_up(const char *reason)
{
#if PG_VERSION_NUM >= 160000
	give_back();
#endif
	dispatch_works = false;
	strlcpy(problem, reason, sizeof(problem));
	ereport(LOG,
			(errmsg("memory contexts of jemctx are AllocSets in this server"),
			 errdetail("%s.", problem)));
}

/* Raise an ERROR if there can be no contexts of ours. */
void
dispatch_require(void)
{
	if (dispatch_works)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("this server has no memory contexts of jemctx"),
			 errdetail("%s.", problem),
			 errhint("Use jemctx_namespace_allocate() and jemctx_namespace_free().")));
}

/* How it works, for jemctx_info. */
const char *
dispatch_way(void)
{
	if (!dispatch_works)
		return psprintf("none: %s", problem);
#if PG_VERSION_NUM >= 160000
	return nrows == 1 ? psprintf("method id %d", rows[0].number) :
		psprintf("method ids %d, %d, %d", rows[0].number, rows[1].number, rows[2].number);
#else
	return "vtable";
#endif
}
