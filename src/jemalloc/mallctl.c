/*-------------------------------------------------------------------------
 *
 * mallctl.c
 *	  jemalloc's control tree with errors.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "jemalloc/mallctl.h"

#define MAX_NAME 64

const char *
mallctl_arena(const char *format, unsigned arena)
{
	static char name[MAX_NAME];

	snprintf(name, sizeof(name), format, arena);
	return name;
}

unsigned
mallctl_lookup(const void *object)
{
	unsigned	arena;

	mallctl_call("arenas.lookup", &arena, sizeof(arena), &object, sizeof(object));
	return arena;
}

/* What "experimental.arenas_create_ext" takes: jemalloc's header does not show it. */
typedef struct ArenaConfig
{
	extent_hooks_t *extent_hooks;
	bool		metadata_use_hooks;
} ArenaConfig;

int
mallctl_create_arena(extent_hooks_t *hooks)
{
	ArenaConfig config = {.extent_hooks = hooks, .metadata_use_hooks = false};
	unsigned	arena;
	size_t		len = sizeof(arena);
	size_t		hooks_len = sizeof(hooks);	/* NOLINT(bugprone-sizeof-expression): of the pointer */

	/* an experimental node may change; then the hooks count metadata, too */
	if (je.mallctl("experimental.arenas_create_ext", &arena, &len, &config, sizeof(config)) != 0 &&
		je.mallctl("arenas.create", &arena, &len, &hooks, hooks_len) != 0)
		return -1;
	return arena;
}

uint64
mallctl_take_peak(void)
{
	uint64		peak = 0;
	size_t		len = sizeof(peak);

	je.mallctl("thread.peak.read", &peak, &len, NULL, 0);
	je.mallctl("thread.peak.reset", NULL, NULL, NULL, 0);
	return peak;
}

void
mallctl_report(void (*write) (void *, const char *), void *place, const char *opts)
{
	je.malloc_stats_print(write, place, opts);
}

/* Read into oldp, write from newp; either may be NULL. */
void
mallctl_call(const char *name, void *oldp, size_t oldlen, void *newp, size_t newlen)
{
	size_t		len = oldlen;
	int			rc = je.mallctl(name, oldp, oldp ? &len : NULL, newp, newlen);

	if (rc == 0 && len == oldlen)
		return;
	errno = rc != 0 ? rc : EINVAL;
	ereport(ERROR,
			(errcode(rc == ENOMEM || rc == EAGAIN ? ERRCODE_OUT_OF_MEMORY :
					 ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
			 errmsg("jemalloc refused \"%s\": %m", name)));
}
