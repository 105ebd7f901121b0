/*-------------------------------------------------------------------------
 *
 * works.c
 *	  The works: what shared memory is used for, reduced to its pattern.
 *
 * Sizes and choices come from a generator with a fixed seed, so that every
 * peer does the same.  A work is compiled for each peer.
 *
 *-------------------------------------------------------------------------
 */
#include "sharing.h"

#include <sched.h>
#include <time.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "count.h"
#include "peers.h"
#include "random.h"

#define SIZES 4096				/* a power of two */
#define PAIRS 2000000
#define SLOTS 100000
#define REPLACEMENTS 1000000
#define HANDED 1000000
#define HANDED_TOGETHER 16		/* so that handing over takes little */
#define NEW_OBJECTS 100000
#define PHASE_BYTES ((Size) 64 * 1024 * 1024)
#define TURNOVER 8				/* times the live bytes that are written in a phase */
#define MOST_RECORDS 2000000
#define PACE_SLICES 1000		/* a second */

static pg_attribute_always_inline int64
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64) now.tv_sec * INT64CONST(1000000000) + now.tv_nsec;
}

static void
seed(const Part *part)
{
	random_seed(part->process);
}

/* Sizes made beforehand, so that making them is not timed. */
static uint32 sizes[SIZES];

static void
make_sizes(const Part *part, uint32 low, uint32 high)
{
	seed(part);
	for (int i = 0; i < SIZES; i++)
		sizes[i] = between(low, high);
}

/* An amount says how many times less is done than otherwise, where instructions are counted. */
static int
divided(const Part *part, int operations)
{
	return operations / Max(part->amount, 1);
}

/* Allocate and free, over and over. */
static pg_attribute_always_inline void
run_pairs(Part *part, const Peer *peer)
{
	int			pairs = divided(part, PAIRS);

	make_sizes(part, 64, 316);
	for (int warm = 0; warm < 2; warm++)
	{
		int64		start;

		meet(part);
		count_begin();
		start = now_ns();
		for (int i = 0; i < pairs; i++)
			peer->free(peer->alloc(sizes[i % SIZES]));
		part->ns = (now_ns() - start) / (double) pairs;
		count_end();
	}
}

static inline Reference
fill(const Peer *peer, uint32 size)
{
	Reference	object = peer->alloc(size);

	*(uint32 *) peer->address(object) = size;
	return object;
}

static pg_attribute_always_inline void
replace_some(const Peer *peer, Reference *slots, int count)
{
	for (int i = 0; i < count; i++)
	{
		Reference  *slot = &slots[next_random() % SLOTS];

		peer->free(*slot);
		*slot = fill(peer, sizes[i % SIZES]);
	}
}

/*
 * Replace random objects of many.  First as long as it takes for the processes
 * to have seen most of the pages: each costs each of them a page fault once.
 */
static pg_attribute_always_inline void
run_churn(Part *part, const Peer *peer)
{
	int			replacements = divided(part, REPLACEMENTS);
	Reference  *slots = MemoryContextAlloc(TopMemoryContext, SLOTS * sizeof(Reference));
	int64		start;

	make_sizes(part, 64, 1024);
	for (int i = 0; i < SLOTS; i++)
		slots[i] = fill(peer, sizes[i % SIZES]);
	replace_some(peer, slots, replacements);
	meet(part);
	count_begin();
	start = now_ns();
	replace_some(peer, slots, replacements);
	part->ns = (now_ns() - start) / (double) replacements;
	count_end();
	meet(part);
	for (int i = 0; i < SLOTS; i++)
		peer->free(slots[i]);
	pfree(slots);
}

/* Wait for the other side of the ring. */
static void
give_way(void)
{
	CHECK_FOR_INTERRUPTS();
	sched_yield();
}

static pg_attribute_always_inline void
produce(Common *common, const Peer *peer)
{
	uint64		first = pg_atomic_read_u64(&common->written);

	for (uint64 i = first; i < first + HANDED; i++)
	{
		while (i - pg_atomic_read_u64(&common->read) >= RING)
			give_way();
		common->ring[i % RING] = fill(peer, sizes[i % SIZES]);
		if ((i + 1) % HANDED_TOGETHER != 0)
			continue;
		pg_write_barrier();
		pg_atomic_write_u64(&common->written, i + 1);
	}
}

static pg_attribute_always_inline void
consume(Common *common, const Peer *peer)
{
	uint64		first = pg_atomic_read_u64(&common->read);

	for (uint64 i = first; i < first + HANDED; i++)
	{
		while (pg_atomic_read_u64(&common->written) <= i)
			give_way();
		pg_read_barrier();
		peer->free(common->ring[i % RING]);
		if ((i + 1) % HANDED_TOGETHER == 0)
			pg_atomic_write_u64(&common->read, i + 1);
	}
}

/* The first process allocates, the second frees. */
static pg_attribute_always_inline void
run_handing(Part *part, const Peer *peer)
{
	make_sizes(part, 64, 316);
	for (int warm = 0; warm < 2; warm++)
	{
		int64		start;

		meet(part);
		start = now_ns();
		if (part->process == 0)
			produce(part->common, peer);
		else
			consume(part->common, peer);
		part->ns = (now_ns() - start) / (double) HANDED;
	}
}

static int
compare_times(const void *a, const void *b)
{
	uint32		left = *(const uint32 *) a;
	uint32		right = *(const uint32 *) b;

	return (left > right) - (left < right);
}

/* Many new objects at once, each allocation timed. */
static pg_attribute_always_inline void
run_burst(Part *part, const Peer *peer)
{
	Reference  *objects = MemoryContextAllocZero(TopMemoryContext, NEW_OBJECTS * sizeof(Reference));
	uint32	   *times = MemoryContextAllocZero(TopMemoryContext, NEW_OBJECTS * sizeof(uint32));
	int64		start;
	int64		before;

	make_sizes(part, 64, 316);
	meet(part);
	start = before = now_ns();
	for (int i = 0; i < NEW_OBJECTS; i++)
	{
		int64		after;

		objects[i] = fill(peer, sizes[i % SIZES]);
		after = now_ns();
		times[i] = Min(after - before, UINT32_MAX);
		before = after;
	}
	part->ns = (before - start) / (double) NEW_OBJECTS;
	qsort(times, NEW_OBJECTS, sizeof(uint32), compare_times);
	part->p99 = times[(int) (NEW_OBJECTS * 0.99)];
	meet(part);
	for (int i = 0; i < NEW_OBJECTS; i++)
		peer->free(objects[i]);
	pfree(objects);
	pfree(times);
}

/*
 * Records whose sizes change from phase to phase, at constant live bytes.
 * Each call is a phase: its amount is the phase, from 0 on; after the last,
 * which is -1, none are left.
 */
typedef struct Record
{
	Reference	object;
	uint32		size;
} Record;

static Record *records;
static int	records_count;
static Size records_bytes;

static pg_attribute_always_inline void
drop_record(const Peer *peer, int i)
{
	peer->free(records[i].object);
	records_bytes -= records[i].size;
	records[i] = records[--records_count];
}

static pg_attribute_always_inline void
add_record(const Peer *peer, uint32 size)
{
	Reference	object = peer->alloc(size);

	memset(peer->address(object), 1, size);
	records[records_count].object = object;
	records[records_count++].size = size;
	records_bytes += size;
}

/* The sizes of a phase: 32 to 192 bytes, doubled three times, and again. */
static uint32
phase_size(int phase)
{
	return between(32 << phase % 4, 192 << phase % 4);
}

static pg_attribute_always_inline void
run_phase(Part *part, const Peer *peer)
{
	int64		start = now_ns();
	int64		operations = 0;

	if (records == NULL)
		records = MemoryContextAllocHuge(TopMemoryContext, MOST_RECORDS * sizeof(Record));
	if (part->amount == 0)
		seed(part);
	for (Size written = 0; part->amount >= 0 && written < TURNOVER * PHASE_BYTES; operations++)
	{
		uint32		size = phase_size(part->amount);

		while (records_bytes + size > PHASE_BYTES)
			drop_record(peer, next_random() % records_count);
		add_record(peer, size);
		written += size;
	}
	while (part->amount < 0 && records_count > 0)
	{
		drop_record(peer, records_count - 1);
		operations++;
	}
	part->ns = (now_ns() - start) / (double) Max(1, operations);
	part->live = records_bytes;
}

/* So many objects, of this session, which stay: the next two works are done with them. */
static Reference *populace;
static int	populace_count;

static pg_attribute_always_inline Reference
new_member(const Peer *peer, int number)
{
	uint32		size = sizes[number % SIZES];
	Reference	object = peer->alloc(size);

	if (object == 0)
		elog(ERROR, "there is no memory for object %d", number);
	memset(peer->address(object), 1, size);
	return object;
}

static pg_attribute_always_inline void
run_populate(Part *part, const Peer *peer)
{
	int64		start;

	if (populace != NULL)
		elog(ERROR, "there are objects already");
	populace = MemoryContextAllocHuge(TopMemoryContext, part->amount * sizeof(Reference));
	make_sizes(part, 64, 316);
	meet(part);
	start = now_ns();
	for (populace_count = 0; populace_count < part->amount; populace_count++)
		populace[populace_count] = new_member(peer, populace_count);
	part->ns = (now_ns() - start) / (double) part->amount;
	for (int i = 0; i < populace_count; i++)
		part->live += sizes[i % SIZES];
}

/* Replace so many of them, by chance. */
static pg_attribute_always_inline void
run_exchange(Part *part, const Peer *peer)
{
	int64		start;

	if (populace == NULL)
		elog(ERROR, "there are no objects to exchange");
	meet(part);
	start = now_ns();
	for (int i = 0; i < part->amount; i++)
	{
		int			number = next_random() % populace_count;

		peer->free(populace[number]);
		populace[number] = new_member(peer, number);
	}
	part->ns = (now_ns() - start) / (double) part->amount;
}

static pg_attribute_always_inline void
run_clear(Part *part, const Peer *peer)
{
	int			count = populace_count;
	int64		start;

	meet(part);
	start = now_ns();
	while (populace_count > 0)
		peer->free(populace[--populace_count]);
	part->ns = (now_ns() - start) / (double) Max(count, 1);
	if (populace != NULL)
		pfree(populace);
	populace = NULL;
}

/* Use all sizes a little, and stay. */
static pg_attribute_always_inline void
run_use(Part *part, const Peer *peer)
{
	Reference	objects[SIZES / 16];

	make_sizes(part, 64, 1024);
	for (int round = 0; round < 16; round++)
	{
		for (int i = 0; i < lengthof(objects); i++)
			objects[i] = fill(peer, sizes[i * 16 + round]);
		for (int i = 0; i < lengthof(objects); i++)
			peer->free(objects[i]);
	}
}

/* Allocate until there is no memory.  The objects stay. */
static pg_attribute_always_inline void
run_fill(Part *part, const Peer *peer)
{
	uint32		size;

	seed(part);
	while (size = between(64, 1024), peer->alloc(size) != 0)
		part->live += size;
}

/* Half a million replacements a second, for so many seconds. */
static pg_attribute_always_inline void
run_paced(Part *part, const Peer *peer)
{
	Reference  *slots = MemoryContextAlloc(TopMemoryContext, SLOTS * sizeof(Reference));
	int			slice = 500000 / PACE_SLICES;
	int64		start;
	int64		busy = 0;

	make_sizes(part, 64, 1024);
	for (int i = 0; i < SLOTS; i++)
		slots[i] = fill(peer, sizes[i % SIZES]);
	meet(part);
	start = now_ns();
	for (int64 i = 0; i < (int64) part->amount * PACE_SLICES; i++)
	{
		int64		due = start + (i + 1) * (1000000000 / PACE_SLICES);
		int64		begun = now_ns();
		int64		left;

		replace_some(peer, slots, slice);
		busy += now_ns() - begun;
		left = due - now_ns();
		CHECK_FOR_INTERRUPTS();
		if (left > 0)
			pg_usleep(left / 1000);
	}
	part->ns = (now_ns() - start) / ((double) part->amount * 500000);
	part->busy = busy / ((double) part->amount * 500000);
	meet(part);
	for (int i = 0; i < SLOTS; i++)
		peer->free(slots[i]);
	pfree(slots);
}

#define FOR_PEER(work, peer) \
static void \
work##_in_##peer(Part *part) \
{ \
	run_##work(part, &peer##_peer); \
}

#define FOR_PEERS(work) \
	FOR_PEER(work, namespace) \
	FOR_PEER(work, area)

FOR_PEERS(pairs)
FOR_PEER(pairs, context)
FOR_PEERS(churn)
FOR_PEERS(handing)
FOR_PEERS(burst)
FOR_PEERS(phase)
FOR_PEERS(populate)
FOR_PEERS(exchange)
FOR_PEERS(clear)
FOR_PEERS(use)
FOR_PEERS(fill)
FOR_PEERS(paced)

#define IN_PEER(work, peer, shown) {shown " " #work, work##_in_##peer}
#define IN_PEERS(work) IN_PEER(work, namespace, "namespace"), IN_PEER(work, area, "dsa")

static const Work works[] = {
	IN_PEERS(pairs),
	IN_PEER(pairs, context, "context"),
	IN_PEERS(churn),
	IN_PEERS(handing),
	IN_PEERS(burst),
	IN_PEERS(phase),
	IN_PEERS(populate),
	IN_PEERS(exchange),
	IN_PEERS(clear),
	IN_PEERS(use),
	IN_PEERS(fill),
	IN_PEERS(paced),
};

const Work *
find_work(const char *peer, const char *work)
{
	char	   *name = psprintf("%s %s", peer, work);

	for (int i = 0; i < lengthof(works); i++)
	{
		if (strcmp(works[i].name, name) == 0)
			return &works[i];
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown work: \"%s\"", name)));
}
