/*-------------------------------------------------------------------------
 *
 * mapping.c
 *	  What jemalloc maps for its own data.
 *
 * It does that without hooks, some megabytes at a time, of which it touches a
 * few pages: a map of all its extents for each GB of addresses, and 2 MB for
 * each arena.  What opt.thp says 5.3.0 tells the kernel of these, too, and
 * 5.3.1 does not any more; then each could become huge pages in every process.
 * The first three are touched before the postmaster's main(), and where the
 * kernel has huge pages for all that is at once: so they are told of when they
 * are mapped, if the environment says what opt.thp will be.
 *
 * The re-executed postmaster preloads this module before jemalloc, which so
 * calls the function below.  Where it is opened beside the system's malloc it
 * does not, and its own data are as the kernel has them by default.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "jemalloc/mapping.h"

/* What is smaller cannot become a huge page. */
#define HUGE_PAGE ((size_t) 2 * 1024 * 1024)

/* Mappings that are made before we know what opt.thp is; jemalloc makes three then. */
#define MAX_EARLY 16

typedef struct Mapping
{
	void	   *pages;
	size_t		size;
	const void *caller;
} Mapping;

static Mapping early[MAX_EARLY];
static int	early_count = 0;
static bool is_settled = false;

/* jemalloc's code, as soon as we know that its mappings are to have no huge pages. */
static uintptr_t advised_start;
static uintptr_t advised_end;

static void *(*next_mmap) (void *address, size_t size, int protection, int flags, int file,
						   off_t offset);

extern PGDLLEXPORT void *mmap(void *address, size_t size, int protection, int flags, int file,
							  off_t offset);

/* Before main(), or at the first call; allocates nothing. */
static void __attribute__((constructor))
find_next(void)
{
	next_mmap = (void *(*) (void *, size_t, int, int, int, off_t)) dlsym(RTLD_NEXT, "mmap");
}

/* jemalloc's, where it is loaded with the program. */
extern int	mallctl(const char *name, void *old_value, size_t *old_size, void *new_value,
					size_t new_size) __attribute__((weak));

static bool
is_jemallocs(const void *caller)
{
	Dl_info		here;
	Dl_info		there;

	return mallctl != NULL && dladdr(caller, &here) != 0 &&
		dladdr((const void *) mallctl, &there) != 0 && here.dli_fbase == there.dli_fbase;
}

/* What comes last counts. */
static bool
environment_wants_none(void)
{
	static const char key[] = "thp:";
	const char *options = getenv("MALLOC_CONF");
	const char *value = NULL;

	for (const char *at = options; at != NULL && (at = strstr(at, key)) != NULL; at++)
	{
		if (at == options || at[-1] == ',')
			value = at + strlen(key);
	}
	return value != NULL && strncmp(value, "never", strlen("never")) == 0;
}

/* Is it jemalloc's, and to have no huge pages? */
static void
advise(const Mapping *mapping)
{
	if ((uintptr_t) mapping->caller >= advised_start && (uintptr_t) mapping->caller < advised_end)
		madvise(mapping->pages, mapping->size, MADV_NOHUGEPAGE);
}

/* Takes the linker's lock: only while there is no other thread. */
static void
advise_early(const Mapping *mapping)
{
	early[early_count++] = *mapping;
	if (environment_wants_none() && is_jemallocs(mapping->caller))
		madvise(mapping->pages, mapping->size, MADV_NOHUGEPAGE);
}

/* jemalloc may hold mutexes: nothing in here allocates or, later, takes locks. */
static void pg_noinline
mapped(const Mapping *mapping)
{
	if (advised_end > 0)
		advise(mapping);
	else if (!is_settled && early_count < MAX_EARLY)
		advise_early(mapping);
}

/* In place of the C library's, for everybody. */
void *
mmap(void *address, size_t size, int protection, int flags, int file, off_t offset)
{
	void	   *pages;

	if (unlikely(next_mmap == NULL))
		find_next();
	pages = next_mmap(address, size, protection, flags, file, offset);
	if (unlikely(size >= HUGE_PAGE) && pages != MAP_FAILED &&
		(flags & (MAP_PRIVATE | MAP_ANONYMOUS)) == (MAP_PRIVATE | MAP_ANONYMOUS))
		mapped(&(Mapping) {.pages = pages, .size = size, .caller = __builtin_return_address(0)});
	return pages;
}

/* In the postmaster: it is known what jemalloc wants. */
void
mapping_settle(void)
{
	is_settled = true;
}

/* In the postmaster: where jemalloc's code is, and that it wants no huge pages. */
void
mapping_advise(uintptr_t code_start, uintptr_t code_end)
{
	advised_start = code_start;
	advised_end = code_end;
	for (int i = 0; i < early_count; i++)
		advise(&early[i]);
}
