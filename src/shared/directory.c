/*-------------------------------------------------------------------------
 *
 * directory.c
 *	  Which namespaces there are: names and slots.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "shared/directory.h"
#include "shared/failpoint.h"

/* Databases of all encodings see it. */
bool
directory_name_is_valid(const char *name)
{
	for (const char *c = name; *c != '\0'; c++)
	{
		if (*c < ' ' || *c > '~')
			return false;
	}
	return name[0] != '\0' && strlen(name) < NAMEDATALEN;
}

/* Is there a namespace that can be found?  The caller has the control lock, as below. */
static bool
has_name(const Namespace *space)
{
	return space->in_use && space->name[0] != '\0';
}

/* The slot with a name, or NULL. */
static Namespace *
find_slot(const char *name)
{
	for (int slot = 0; slot < NAMESPACE_SLOTS; slot++)
	{
		Namespace  *space = &control->slots[slot];

		if (has_name(space) && strcmp(space->name, name) == 0)
			return space;
	}
	return NULL;
}

static Namespace *
find_free_slot(void)
{
	for (int slot = 0; slot < NAMESPACE_SLOTS; slot++)
	{
		if (!control->slots[slot].in_use)
			return &control->slots[slot];
	}
	return NULL;
}

/* Returns NULL when all slots are in use. */
static Namespace *
take_slot(const char *name, Size size_limit)
{
	Namespace  *space = find_free_slot();

	if (space == NULL)
		return NULL;
	strlcpy(space->name, name, NAMEDATALEN);
	space->created_at = GetCurrentTimestamp();
	pg_atomic_write_u64(&space->limit, size_limit);
	pg_atomic_write_u64(&space->refused, 0);
	space->in_use = true;
	return space;
}

/* The namespace with a name, and its edition; or NULL. */
Namespace *
directory_find(const char *name, uint64 *edition)
{
	Namespace  *space;

	LWLockAcquire(&control->lock, LW_SHARED);
	space = find_slot(name);
	if (space != NULL)
		*edition = pg_atomic_read_u64(&space->edition);
	LWLockRelease(&control->lock);
	FAILPOINT_PAUSE(PAUSE_AFTER_LOOK_UP);
	return space;
}

/* Which namespace is in a slot?  False if none that can be found. */
bool
directory_read(Namespace *space, DirectoryEntry *entry)
{
	bool		there;

	LWLockAcquire(&control->lock, LW_SHARED);
	there = has_name(space);
	strlcpy(entry->name, space->name, NAMEDATALEN);
	entry->created_at = space->created_at;
	entry->edition = pg_atomic_read_u64(&space->edition);
	LWLockRelease(&control->lock);
	return there;
}

/*
 * The namespace with a name, made with that limit unless it exists, and its
 * edition.  NULL if there is no slot for it.
 */
Namespace *
directory_add(const char *name, Size size_limit, uint64 *edition, bool *exists)
{
	Namespace  *space;

	LWLockAcquire(&control->lock, LW_EXCLUSIVE);
	space = find_slot(name);
	*exists = space != NULL;
	if (space == NULL)
		space = take_slot(name, size_limit);
	if (space != NULL)
		*edition = pg_atomic_read_u64(&space->edition);
	LWLockRelease(&control->lock);
	return space;
}

/* It is being dropped: nobody finds it from now on. */
void
directory_hide(Namespace *space)
{
	LWLockAcquire(&control->lock, LW_EXCLUSIVE);
	space->name[0] = '\0';
	LWLockRelease(&control->lock);
}

/* Its slot, which is empty now, may be used for another. */
void
directory_remove(Namespace *space)
{
	LWLockAcquire(&control->lock, LW_EXCLUSIVE);
	space->in_use = false;
	LWLockRelease(&control->lock);
}
