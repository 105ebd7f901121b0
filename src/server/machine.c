/*-------------------------------------------------------------------------
 *
 * machine.c
 *	  How much memory the machine, or the container, has, and has left.
 *
 * The kernel seldom refuses memory, it kills for it.  So one looks before one
 * takes it.  That is as good as it gets: others take some, too, between the
 * look and the use.
 *
 * Called from extent hooks: raises no errors, allocates nothing, takes no
 * locks.  A look takes about as long as ten page faults, so it must be rare.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include "server/cgroup.h"
#include "server/kernelfile.h"
#include "server/machine.h"

#define MEMINFO_FILE "/proc/meminfo"
#define PRESSURE_FILE "/proc/pressure/memory"
#define STATM_FILE "/proc/%d/statm"
#define PATH_BYTES 64

/* Tasks stall when some of them wait for memory in this part of the time, in per cent. */
#define STALL_PERCENT 10

/* They starve when all of them do in this part. */
#define STARVE_PERCENT 40

/* Stalls of the whole machine may be another group's; they are ours when less than this is left. */
#define STALLS_DIVISOR 4

/* A field of /proc/meminfo in bytes, or SIZE_MAX. */
static Size
field(const char *meminfo, const char *name)
{
	Size		kb = kernelfile_number(meminfo, name, SIZE_MAX);

	return kb == SIZE_MAX ? SIZE_MAX : kb * 1024;
}

/* Look how much memory there is. */
void
machine_look(MachineLook *look)
{
	char		meminfo[KERNELFILE_BYTES];
	CgroupLook	groups = {0};
	Size		swap_free;
	Size		headroom = SIZE_MAX;

	kernelfile_read(MEMINFO_FILE, meminfo, sizeof(meminfo));
	look->total = field(meminfo, "MemTotal:");
	look->machine_available = field(meminfo, "MemAvailable:");
	swap_free = field(meminfo, "SwapFree:");
	if (swap_free == SIZE_MAX)
		swap_free = 0;
	if (look->machine_available != SIZE_MAX)
		headroom = look->machine_available + swap_free;
	cgroup_look(&groups, swap_free);
	look->cgroup_limit = groups.limit;
	look->available = Min(look->machine_available, groups.available);
	look->headroom = Min(headroom, groups.headroom);
}

/* Look for more than figures say, after a look; ooms_before is from the last time. */
void
machine_signs(MachineSigns *signs, const MachineLook *look, uint64 ooms_before)
{
	CgroupSigns groups;
	char		text[KERNELFILE_BYTES];

	cgroup_signs(&groups);
	if (look->machine_available < look->total / STALLS_DIVISOR &&
		kernelfile_read(PRESSURE_FILE, text, sizeof(text)))
	{
		groups.some = Max(groups.some, (int) kernelfile_number(text, "some avg10=", 0));
		groups.full = Max(groups.full, (int) kernelfile_number(text, "full avg10=", 0));
	}
	signs->ooms = groups.ooms;
	signs->stalls = groups.above_high || groups.some >= STALL_PERCENT;
	signs->starves = groups.full >= STARVE_PERCENT || groups.ooms > ooms_before;
}

/* Bytes of its own that a process has in memory; 0 if it cannot be asked. */
Size
machine_private_of(int pid)
{
	char		path[PATH_BYTES];
	char		text[128];
	char	   *next;
	uint64		resident;
	uint64		shared;

	snprintf(path, sizeof(path), STATM_FILE, pid);
	if (!kernelfile_read(path, text, sizeof(text)))
		return 0;
	(void) strtoull(text, &next, 10);
	resident = strtoull(next, &next, 10);
	shared = strtoull(next, NULL, 10);
	return resident > shared ? (resident - shared) * sysconf(_SC_PAGESIZE) : 0;
}
