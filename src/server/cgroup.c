/*-------------------------------------------------------------------------
 *
 * cgroup.c
 *	  What the control groups of this process may have, and have left.
 *
 * A group's memory includes the pages of files that its processes have read
 * and written, most of which the kernel would drop before it kills; so they
 * count as available, but for some that are always in use, such as programs.
 * Both versions are there, and a server may be in a group of each.
 *
 * Called from extent hooks: raises no errors, allocates nothing, takes no
 * locks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "server/cgroup.h"
#include "server/kernelfile.h"

#define CGROUP_FILE "/proc/self/cgroup"
#define CGROUP_ROOT "/sys/fs/cgroup"
#define PATH_BYTES 1024

/* Of the pages of files so much stays, or this part of the limit if that is less. */
#define FILES_KEPT_DIVISOR 2
#define LIMIT_KEPT_DIVISOR 64

/* Version 1 says no limit by the largest number of whole pages, which depends on their size. */
#define NO_LIMIT ((Size) 1 << 62)

/* The files of one version of control groups. */
typedef struct CgroupFiles
{
	const char *marker;			/* before its path in /proc/self/cgroup */
	const char *root;
	const char *limit;
	const char *usage;
	const char *files[3];		/* what can be dropped, in memory.stat */
	const char *swap_limit;
	const char *swap_usage;
	bool		swap_includes_memory;
} CgroupFiles;

static const CgroupFiles versions[] = {
	{"0::", CGROUP_ROOT, "memory.max", "memory.current",
		{"\ninactive_file ", "\nactive_file ", "\nslab_reclaimable "},
	"memory.swap.max", "memory.swap.current", false},
	{":memory:", CGROUP_ROOT "/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
		{"\ntotal_inactive_file ", "\ntotal_active_file "},
	"memory.memsw.limit_in_bytes", "memory.memsw.usage_in_bytes", true},
};

/* Have a function called for a group and for those above it. */
typedef void (*Visit) (const CgroupFiles *files, const char *directory, void *result);

/* Read a file of a group; false if it is not there. */
static bool
read_group_file(const char *directory, const char *name, char *text, Size size)
{
	char		path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return kernelfile_read(path, text, size);
}

/* One that has one number, or missing: "max" is none. */
static Size
read_number(const char *directory, const char *name, Size missing)
{
	char		text[64];
	Size		number;

	if (!read_group_file(directory, name, text, sizeof(text)) || text[0] < '0' || text[0] > '9')
		return missing;
	number = strtoull(text, NULL, 10);
	return number >= NO_LIMIT ? missing : number;
}

static Size
difference(Size more, Size less)
{
	return more > less ? more - less : 0;
}

/* Bytes of files that the kernel would drop for a group with that limit. */
static Size
droppable(const CgroupFiles *files, const char *directory, Size limit)
{
	char		text[KERNELFILE_BYTES];
	Size		bytes = 0;

	if (!read_group_file(directory, "memory.stat", text, sizeof(text)))
		return 0;
	for (int i = 0; i < lengthof(files->files) && files->files[i] != NULL; i++)
		bytes += kernelfile_number(text, files->files[i], 0);
	return bytes - Min(bytes / FILES_KEPT_DIVISOR, limit / LIMIT_KEPT_DIVISOR);
}

/* What a group with so much available may have beside, when pages go to swap. */
static Size
headroom(const CgroupFiles *files, const char *directory, Size available, Size dropped,
		 Size swap_free)
{
	Size		limit = read_number(directory, files->swap_limit, SIZE_MAX);
	Size		usage = read_number(directory, files->swap_usage, 0);
	Size		left = limit == SIZE_MAX ? SIZE_MAX : difference(limit, usage);

	if (!files->swap_includes_memory)
		return available + Min(swap_free, left);
	return Min(available + swap_free, left == SIZE_MAX ? SIZE_MAX : left + dropped);
}

/* What it has swapped in all, and what is free, may be the machine's. */
typedef struct Looking
{
	CgroupLook *look;
	Size		swap_free;
} Looking;

static void
look_at(const CgroupFiles *files, const char *directory, void *result)
{
	const Looking *looking = result;
	CgroupLook *look = looking->look;
	Size		limit = read_number(directory, files->limit, SIZE_MAX);
	Size		dropped;
	Size		available;

	if (limit == SIZE_MAX)
		return;
	dropped = droppable(files, directory, limit);
	available = difference(limit + dropped, read_number(directory, files->usage, 0));
	look->limit = Min(look->limit, limit);
	look->available = Min(look->available, available);
	look->headroom = Min(look->headroom,
						 headroom(files, directory, available, dropped, looking->swap_free));
}

static void
look_for_signs(const CgroupFiles *files, const char *directory, void *result)
{
	CgroupSigns *signs = result;
	char		text[KERNELFILE_BYTES];

	if (read_number(directory, files->usage, 0) > read_number(directory, "memory.high", SIZE_MAX))
		signs->above_high = true;
	if (read_group_file(directory, "memory.events", text, sizeof(text)))
		signs->ooms += kernelfile_number(text, "\noom ", 0);
	if (read_group_file(directory, "memory.pressure", text, sizeof(text)))
	{
		signs->some = Max(signs->some, (int) kernelfile_number(text, "some avg10=", 0));
		signs->full = Max(signs->full, (int) kernelfile_number(text, "full avg10=", 0));
	}
}

static void
visit_version(const CgroupFiles *files, const char *groups, Visit visit, void *result)
{
	const char *path = strstr(groups, files->marker);
	char		directory[PATH_BYTES];
	Size		root = strlen(files->root);

	if (path == NULL)
		return;
	path += strlen(files->marker);
	snprintf(directory, sizeof(directory), "%s%.*s", files->root, (int) strcspn(path, "\n"), path);
	visit(files, directory, result);
	while (strlen(directory) > root)
	{
		*strrchr(directory, '/') = '\0';
		visit(files, directory, result);
	}
}

static void
visit_groups(Visit visit, void *result)
{
	char		text[KERNELFILE_BYTES];

	if (!kernelfile_read(CGROUP_FILE, text, sizeof(text)))
		return;
	for (int i = 0; i < lengthof(versions); i++)
		visit_version(&versions[i], text, visit, result);
}

/* How much there is, when so much swap is free on the machine.  Reads some files for each group. */
void
cgroup_look(CgroupLook *look, Size swap_free)
{
	Looking		looking = {look, swap_free};

	*look = (CgroupLook) {SIZE_MAX, SIZE_MAX, SIZE_MAX};
	visit_groups(look_at, &looking);
}

/* What there is of them, where the kernel has the files: version 2 only. */
void
cgroup_signs(CgroupSigns *signs)
{
	*signs = (CgroupSigns) {0};
	visit_groups(look_for_signs, signs);
}
