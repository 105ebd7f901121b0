/*-------------------------------------------------------------------------
 *
 * machine.c
 *	  How much memory the machine, or the container, has, and has left.
 *
 * The kernel does not refuse shared memory, it kills for it.  So before pages
 * are taken one looks at what is available, and at the limits of the control
 * groups that the process is in.  That is as good as it gets: others take
 * memory, too, between the look and the use.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <unistd.h>

#include "compat/clock.h"
#include "server/machine.h"

/*
 * What must be left, and for how long a look is believed: until these bytes,
 * or a part of what there was, are taken, and not longer than that.
 */
#define MARGIN ((Size) 32 * 1024 * 1024)
#define BELIEVED_BYTES ((Size) 16 * 1024 * 1024)
#define BELIEVED_DIVISOR 64
#define BELIEVED_MS 100

#define MEMINFO_FILE "/proc/meminfo"
#define CGROUP_FILE "/proc/self/cgroup"
#define CGROUP_ROOT "/sys/fs/cgroup"
#define FILE_BYTES 8192
#define PATH_BYTES 1024

/* The files of one version of control groups. */
typedef struct CgroupFiles
{
	const char *marker;			/* before its path in /proc/self/cgroup */
	const char *root;
	const char *limit;
	const char *usage;
	const char *reclaimable;	/* in memory.stat */
} CgroupFiles;

static const CgroupFiles versions[] = {
	{"0::", CGROUP_ROOT, "memory.max", "memory.current", "\ninactive_file "},
	{":memory:", CGROUP_ROOT "/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
	"\ntotal_inactive_file "},
};

/* Read a whole small file; false if it is not there. */
static bool
read_file(const char *path, char *buffer, Size size)
{
	int			fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t		length;

	if (fd < 0)
		return false;
	length = read(fd, buffer, size - 1);
	close(fd);
	buffer[Max(length, 0)] = '\0';
	return length > 0;
}

/* The number after a word of a file, or missing. */
static Size
number_after(const char *text, const char *word, Size missing)
{
	const char *found = strstr(text, word);

	return found ? strtoull(found + strlen(word), NULL, 10) : missing;
}

/* A file of a control group that has one number; missing if it has none. */
static Size
read_number(const char *directory, const char *name, Size missing)
{
	char		path[PATH_BYTES];
	char		text[64];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (!read_file(path, text, sizeof(text)) || text[0] < '0' || text[0] > '9')
		return missing;
	return strtoull(text, NULL, 10);
}

/* Version 1 says no limit by the largest number of whole pages, which depends on their size. */
#define NO_LIMIT ((Size) 1 << 62)

/* What a control group may have, SIZE_MAX for no limit. */
static Size
group_limit(const CgroupFiles *files, const char *directory)
{
	Size		limit = read_number(directory, files->limit, SIZE_MAX);

	return limit >= NO_LIMIT ? SIZE_MAX : limit;
}

/* What a control group may still take; file pages can be dropped for it. */
static Size
group_headroom(const CgroupFiles *files, const char *directory)
{
	Size		limit = group_limit(files, directory);
	Size		usage;
	char		path[PATH_BYTES];
	char		text[FILE_BYTES];

	if (limit == SIZE_MAX)
		return SIZE_MAX;
	usage = read_number(directory, files->usage, 0);
	snprintf(path, sizeof(path), "%s/memory.stat", directory);
	if (read_file(path, text, sizeof(text)))
		usage -= Min(usage, number_after(text, files->reclaimable, 0));
	return limit > usage ? limit - usage : 0;
}

/* The least of a figure of the process's control group and those above it. */
static Size
version_least(const CgroupFiles *files, const char *groups,
			  Size (*figure) (const CgroupFiles *files, const char *directory))
{
	const char *path = strstr(groups, files->marker);
	char		directory[PATH_BYTES];
	Size		root = strlen(files->root);
	Size		least;

	if (path == NULL)
		return SIZE_MAX;
	path += strlen(files->marker);
	snprintf(directory, sizeof(directory), "%s%.*s", files->root, (int) strcspn(path, "\n"), path);
	least = figure(files, directory);
	while (strlen(directory) > root)
	{
		*strrchr(directory, '/') = '\0';
		least = Min(least, figure(files, directory));
	}
	return least;
}

static Size
groups_least(Size (*figure) (const CgroupFiles *files, const char *directory))
{
	char		text[FILE_BYTES];
	Size		least = SIZE_MAX;

	if (read_file(CGROUP_FILE, text, sizeof(text)))
	{
		for (int i = 0; i < lengthof(versions); i++)
			least = Min(least, version_least(&versions[i], text, figure));
	}
	return least;
}

/* A field of /proc/meminfo in bytes; SIZE_MAX where it is not to be had. */
static Size
meminfo(const char *field)
{
	char		text[FILE_BYTES];
	Size		kb = SIZE_MAX;

	if (read_file(MEMINFO_FILE, text, sizeof(text)))
		kb = number_after(text, field, SIZE_MAX);
	return kb == SIZE_MAX ? SIZE_MAX : kb * 1024;
}

/* The machine's memory, in bytes; SIZE_MAX where the kernel does not say. */
Size
machine_total(void)
{
	return meminfo("MemTotal:");
}

/* What of it the kernel could give without swapping. */
Size
machine_available(void)
{
	return meminfo("MemAvailable:");
}

/* What this process's control group, or one above it, may have; SIZE_MAX for no limit. */
Size
machine_cgroup_limit(void)
{
	return groups_least(group_limit);
}

/* Bytes that can be taken before the kernel has to kill somebody. */
static Size
look_at_all(void)
{
	return Min(machine_available(), groups_least(group_headroom));
}

/* What there was at the last look, less what was taken since, and how much of it is believed. */
static Size headroom;
static Size believed;
static int64 looked_at;

/* Look how much there is for an allocation, beside what was promised to others. */
static void
look(Size bytes, Size promised)
{
	headroom = look_at_all();
	headroom -= Min(headroom, promised);
	believed = Max(bytes, Max(BELIEVED_BYTES, headroom / BELIEVED_DIVISOR));
	looked_at = clock_ms();
}

static bool
has_room(Size bytes)
{
	return headroom >= MARGIN && bytes <= headroom - MARGIN;
}

/*
 * Is there room for more bytes, beside those that were promised and that
 * nobody has touched yet?  Looks anew at times, and before it says no.
 */
bool
machine_may_take(Size bytes, Size promised)
{
	if (bytes > believed || clock_ms() - looked_at > BELIEVED_MS || !has_room(bytes))
		look(bytes, promised);
	if (!has_room(bytes))
		return false;
	headroom -= bytes;
	believed -= bytes;
	return true;
}
