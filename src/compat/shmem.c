/*-------------------------------------------------------------------------
 *
 * shmem.c
 *	  Parts of PostgreSQL's shared memory.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"

#include "compat/shmem.h"

#define MAX_PARTS 12

typedef struct Part
{
	const char *name;
	void	  **place;
	Size		(*size) (void);
	void		(*init) (void);
} Part;

static Part parts[MAX_PARTS];
static int	count;

static void (*at_start) (void);

static shmem_request_hook_type next_request;
static shmem_startup_hook_type next_startup;

static void
request(void)
{
	if (next_request)
		next_request();
	for (int i = 0; i < count; i++)
		RequestAddinShmemSpace(parts[i].size());
}

/*
 * Shared memory goes: in the postmaster after a crash, since its children forget
 * what was registered.
 */
static void
forget(int code, Datum arg)
{
	for (int i = 0; i < count; i++)
		*parts[i].place = NULL;
}

/* In the order in which they were added. */
static void
start(void)
{
	if (next_startup)
		next_startup();
	if (at_start)
		at_start();
	on_shmem_exit(forget, 0);
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	for (int i = 0; i < count; i++)
	{
		bool		found;

		*parts[i].place = ShmemInitStruct(parts[i].name, parts[i].size(), &found);
		if (!found)
			parts[i].init();
	}
	LWLockRelease(AddinShmemInitLock);
}

static void
install_hooks(void)
{
	if (shmem_startup_hook == start)
		return;
	next_request = shmem_request_hook;
	shmem_request_hook = request;
	next_startup = shmem_startup_hook;
	shmem_startup_hook = start;
}

void
shmem_at_start(void (*function) (void))
{
	Assert(at_start == NULL);
	install_hooks();
	at_start = function;
}

void
shmem_add(const char *name, void **place, Size (*size) (void), void (*init) (void))
{
	Assert(count < MAX_PARTS);
	install_hooks();
	parts[count++] = (Part) {name, place, size, init};
}
