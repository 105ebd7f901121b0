/*-------------------------------------------------------------------------
 *
 * machine.c
 *	  The memory of the machine, and what the kernel lets this server have.
 *
 * See proc_meminfo(5) and cgroups(7).  Of control groups the lowest limit
 * counts, this process's own and those above it; both versions are known.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/fd.h"

#include "policy/machine.h"

#define MEMINFO_FILE "/proc/meminfo"
#define CGROUP_FILE "/proc/self/cgroup"

/* Where the hierarchies are mounted, and the name of a group's limit. */
#define CGROUP2_ROOT "/sys/fs/cgroup"
#define CGROUP2_LIMIT "memory.max"
#define CGROUP1_ROOT "/sys/fs/cgroup/memory"
#define CGROUP1_LIMIT "memory.limit_in_bytes"

/* Version 1 has no word for none: a number near the largest there is. */
#define CGROUP1_NONE ((uint64) PG_INT64_MAX / 2)

/* A field of /proc/meminfo in bytes, MACHINE_UNKNOWN where it is not to be had. */
uint64
machine_memory(const char *field)
{
	FILE	   *file = AllocateFile(MEMINFO_FILE, "r");
	char		line[128];
	uint64		kb;
	uint64		result = MACHINE_UNKNOWN;

	if (file == NULL)
		return MACHINE_UNKNOWN;
	while (result == MACHINE_UNKNOWN && fgets(line, sizeof(line), file) != NULL)
	{
		char	   *colon = strchr(line, ':');

		if (colon != NULL && strlen(field) == (size_t) (colon - line) &&
			strncmp(line, field, colon - line) == 0 && sscanf(colon, ": %lu", &kb) == 1)
			result = kb * 1024;
	}
	FreeFile(file);
	return result;
}

/* The number in a file, MACHINE_UNKNOWN where there is none. */
static uint64
read_limit(const char *path)
{
	FILE	   *file = AllocateFile(path, "r");
	uint64		limit;

	if (file == NULL)
		return MACHINE_UNKNOWN;
	if (fscanf(file, "%lu", &limit) != 1 || limit > CGROUP1_NONE)
		limit = MACHINE_UNKNOWN;
	FreeFile(file);
	return limit;
}

/* The lowest limit of a group and those above it. */
static uint64
lowest_limit(const char *root, const char *group, const char *name)
{
	char	   *path = pstrdup(group);
	uint64		lowest = MACHINE_UNKNOWN;

	for (;;)
	{
		char	   *slash;

		lowest = Min(lowest, read_limit(psprintf("%s%s/%s", root, path, name)));
		slash = strrchr(path, '/');
		if (slash == NULL)
			return lowest;
		*slash = '\0';
	}
}

/* Lines are hierarchy:controllers:group; version 2 has neither of the first two. */
static uint64
line_limit(char *line)
{
	char	   *controllers = strchr(line, ':');
	char	   *group = controllers ? strchr(controllers + 1, ':') : NULL;

	if (group == NULL)
		return MACHINE_UNKNOWN;
	*group++ = '\0';
	group[strcspn(group, "\n")] = '\0';
	if (strcmp(line, "0:") == 0)
		return lowest_limit(CGROUP2_ROOT, group, CGROUP2_LIMIT);
	if (strstr(controllers, "memory") != NULL)
		return lowest_limit(CGROUP1_ROOT, group, CGROUP1_LIMIT);
	return MACHINE_UNKNOWN;
}

/* Bytes that this process's control group may have, MACHINE_UNKNOWN if there is no limit. */
uint64
machine_cgroup_limit(void)
{
	FILE	   *file = AllocateFile(CGROUP_FILE, "r");
	char		line[MAXPGPATH];
	uint64		lowest = MACHINE_UNKNOWN;

	if (file == NULL)
		return MACHINE_UNKNOWN;
	while (fgets(line, sizeof(line), file) != NULL)
		lowest = Min(lowest, line_limit(line));
	FreeFile(file);
	return lowest;
}
