/*-------------------------------------------------------------------------
 *
 * purge.c
 *	  Return this process's unused memory to the system, if that is worth it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arena/unused.h"
#include "namespace/namespace.h"
#include "policy/purge.h"
#include "policy/registry.h"
#include "server/account.h"
#include "server/pressure.h"

/* What the process has held after the last purge at rest. */
static Size purged_to;

/* Return what is free, answer whoever has asked for it, and tell.  Returns how many bytes. */
static Size
purge(RegistryEntry *entry)
{
	uint32		requests = pg_atomic_read_u32(&entry->requests);
	Size		given = unused_purge();

	pg_atomic_write_u64(&entry->purges, pg_atomic_read_u64(&entry->purges) + 1);
	pg_atomic_write_u64(&entry->purged, pg_atomic_read_u64(&entry->purged) + given);
	registry_publish();
	registry_answer(entry, requests, given);
	if (pressure_level() > PRESSURE_NONE)
		pressure_count(PRESSURE_PURGES);
	return given;
}

/*
 * Purge this process, answer whoever has asked for it, and tell.  Returns how
 * many bytes that were.
 */
Size
purge_now(void)
{
	RegistryEntry *entry = registry_own();

	namespace_idle();
	return entry != NULL ? purge(entry) : unused_purge();
}

/*
 * The same in the middle of a statement, where the process checks for
 * interrupts.  Whoever wants caches dropped has to be content with it.
 */
void
purge_in_statement(void)
{
	RegistryEntry *entry = registry_own();

	if (entry == NULL)
		return;
	registry_take_shed(entry);
	purge(entry);
}

/* The same between statements or transactions: what is held then is in use for longer. */
void
purge_at_rest(void)
{
	purge_now();
	purged_to = account_committed();
}

/* So much of what was held at the last purge is about to be freed. */
void
purge_expect_free(Size bytes)
{
	purged_to -= bytes;
}

/* Is there more than that to purge, as far as can be told without doing it? */
bool
purge_is_worth(Size least)
{
	return account_committed() > purged_to + least;
}
