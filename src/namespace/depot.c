/*-------------------------------------------------------------------------
 *
 * depot.c
 *	  Free objects and free slabs of a namespace, for all processes.
 *
 * Objects are taken from the fullest slabs, so that the others drain and
 * become free as a whole: when the sizes that a namespace is used for change,
 * its pages change over to them.  That needs help, since most objects that a
 * process frees it uses again without coming here, wherever they lie, which
 * keeps all slabs as full as they are.  So in a bin with much room slabs that
 * are not full are tagged as to be drained, and their objects are not used
 * again but returned.
 *
 * The locks are LWLocks, which a process that ends lets go; what it was doing
 * then is half done.  Nothing here raises errors, and guard.c is for signal
 * handlers that end a process.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "port/pg_bitutils.h"

#include "namespace/depot.h"
#include "namespace/faults.h"
#include "namespace/guard.h"
#include "namespace/keeper.h"

#define WORD_BITS 64

/* The keeper is told when so many slabs of the stock's target are left. */
#define LOW_STOCK(stock) ((stock)->target / 2)

/* A bin is loose if so much of it is room, beside some slabs. */
#define LOOSE_PART 16
#define LOOSE_SLABS 4

/* The groups of slabs that are drained then. */
#define DRAINED_GROUPS 8

static void
lock(LWLock *which)
{
	guard_enter();
	LWLockAcquire(which, LW_EXCLUSIVE);
	guard_change();
}

static void
unlock(LWLock *which)
{
	guard_changed();
	LWLockRelease(which);
	guard_leave();
}

/* Lock a bin; false, and not locked, if the life has passed. */
static bool
lock_bin(Namespace *space, uint64 life, Bin *bin)
{
	lock(&bin->lock);
	if (pg_atomic_read_u64(&space->life) == life)
		return true;
	unlock(&bin->lock);
	return false;
}

static void
init_stock(Stock *stock)
{
	memset(stock, 0, sizeof(*stock));
	stock->first = NO_PAGE;
}

static void
empty_bin(Bin *bin)
{
	for (int i = 0; i < BIN_GROUPS; i++)
		bin->groups[i] = NO_PAGE;
	bin->slabs = 0;
	bin->nonfull = 0;
	bin->out = 0;
	bin->reserved = 0;
}

void
depot_init(Namespace *space, int tranche)
{
	LWLockInitialize(&space->stock_lock, tranche);
	for (int kind = 0; kind < SLAB_KINDS; kind++)
		init_stock(&space->stocks[kind]);
	for (int class = 0; class < SIZES_COUNT; class++)
	{
		LWLockInitialize(&space->bins[class].bin.lock, tranche);
		empty_bin(&space->bins[class].bin);
	}
}

/*
 * Lists of slabs in a bin
 */

/* Where a slab with so many objects outside of it belongs; BIN_GROUPS if it has no room. */
static inline uint8
slab_group(const Slab *slab, const SizeClass *class)
{
	return slab->live == 0 ? 0 : 1 + slab->live * (BIN_GROUPS - 1) / class->capacity;
}

static void
link_slab(Bin *bin, uint32 page, uint8 group)
{
	Slab	   *slab = &page_slabs[page];

	slab->group = group;
	slab->previous = NO_PAGE;
	if (group == BIN_GROUPS)
		return;
	slab->next = bin->groups[group];
	if (slab->next != NO_PAGE)
		page_slabs[slab->next].previous = page;
	bin->groups[group] = page;
	bin->nonfull++;
}

static void
unlink_slab(Bin *bin, uint32 page)
{
	Slab	   *slab = &page_slabs[page];

	if (slab->group == BIN_GROUPS)
		return;
	if (slab->previous != NO_PAGE)
		page_slabs[slab->previous].next = slab->next;
	else
		bin->groups[slab->group] = slab->next;
	if (slab->next != NO_PAGE)
		page_slabs[slab->next].previous = slab->previous;
	bin->nonfull--;
}

/* Is there more room in the bin than it takes to have some? */
static inline bool
is_loose(const Bin *bin, const SizeClass *class)
{
	uint64		places = (uint64) bin->slabs * class->capacity;

	return places - bin->out > places / LOOSE_PART + (uint64) LOOSE_SLABS * class->capacity;
}

static inline void
tag_slab(uint32 page, const SizeClass *class, bool drained)
{
	if (((page_tags[page] & TAG_DRAINED) != 0) == drained)
		return;
	for (uint32 i = 0; i < slab_pages(class->kind); i++)
		page_tags[page + i] ^= TAG_DRAINED;
}

static inline void
regroup(Bin *bin, uint32 page, const SizeClass *class)
{
	uint8		group = slab_group(&page_slabs[page], class);

	if (group == page_slabs[page].group)
		return;
	unlink_slab(bin, page);
	link_slab(bin, page, group);
	tag_slab(page, class, group < DRAINED_GROUPS && is_loose(bin, class));
}

/* The fullest slab with room, or NO_PAGE. */
static uint32
fullest_slab(const Bin *bin)
{
	for (int group = BIN_GROUPS - 1; group >= 0; group--)
	{
		if (bin->groups[group] != NO_PAGE)
			return bin->groups[group];
	}
	return NO_PAGE;
}

/*
 * The stock
 */

static void
push_stock(Namespace *space, SlabKind kind, uint32 page)
{
	Stock	   *stock = &space->stocks[kind];
	bool		excess;

	lock(&space->stock_lock);
	page_slabs[page].next = stock->first;
	stock->first = page;
	stock->count++;
	stock->taken--;
	excess = stock->count == STOCK_EXCESS(stock->target);
	unlock(&space->stock_lock);
	if (excess)
		keeper_wake();
	else
		keeper_notice();
}

/* A slab of the stock, or NO_PAGE. */
static uint32
pop_stock(Namespace *space, SlabKind kind)
{
	Stock	   *stock = &space->stocks[kind];
	uint32		page;
	bool		low;

	lock(&space->stock_lock);
	page = stock->first;
	if (page != NO_PAGE)
	{
		stock->first = page_slabs[page].next;
		stock->count--;
		stock->taken++;
	}
	else
		stock->waited++;
	low = page != NO_PAGE && stock->count == LOW_STOCK(stock);
	unlock(&space->stock_lock);
	if (low)
		keeper_wake();
	else
		keeper_notice();
	return page;
}

/* Put slabs, linked by next, into the stock. */
void
depot_stock(Namespace *space, SlabKind kind, uint32 first, uint32 last, uint32 count)
{
	Stock	   *stock = &space->stocks[kind];

	lock(&space->stock_lock);
	page_slabs[last].next = stock->first;
	stock->first = first;
	stock->count += count;
	unlock(&space->stock_lock);
}

/* Take up to so many slabs from the stock, linked by next, as long as more than keep are there. */
uint32
depot_unstock(Namespace *space, SlabKind kind, uint32 keep, uint32 most)
{
	Stock	   *stock = &space->stocks[kind];
	uint32		first = NO_PAGE;

	lock(&space->stock_lock);
	for (uint32 i = 0; i < most && stock->count > keep; i++)
	{
		uint32		page = stock->first;

		stock->first = page_slabs[page].next;
		stock->count--;
		page_slabs[page].next = first;
		first = page;
	}
	unlock(&space->stock_lock);
	return first;
}

/* How many slabs were taken since the last time, given back taken off, and how often there was none. */
void
depot_tick(Namespace *space, SlabKind kind, int32 *taken, uint32 *waited)
{
	Stock	   *stock = &space->stocks[kind];

	lock(&space->stock_lock);
	*taken = stock->taken;
	*waited = stock->waited;
	stock->taken = 0;
	stock->waited = 0;
	unlock(&space->stock_lock);
}

/*
 * Objects
 */

/* Mark all objects as in the slab, and what is past its end as not. */
static void
clear_slab(Slab *slab, uint32 capacity)
{
	for (uint32 word = 0; word < SLAB_WORDS; word++)
	{
		uint32		first = word * WORD_BITS;

		if (capacity >= first + WORD_BITS)
			slab->used[word] = 0;
		else
			slab->used[word] = capacity > first ? ~UINT64CONST(0) << (capacity - first) : ~UINT64CONST(0);
	}
	slab->live = 0;
}

/* Have the bin take a slab from the stock.  NO_PAGE if there is none. */
static uint32
add_slab(Namespace *space, uint8 owner, Bin *bin, uint32 class)
{
	SlabKind	kind = size_classes[class].kind;
	uint32		page = pop_stock(space, kind);

	if (page == NO_PAGE)
		return NO_PAGE;
	clear_slab(&page_slabs[page], size_classes[class].capacity);
	pagemap_set(page, slab_pages(kind), owner, class);
	link_slab(bin, page, 0);
	bin->slabs++;
	return page;
}

static void
remove_slab(Namespace *space, Bin *bin, uint32 class, uint32 page)
{
	SlabKind	kind = size_classes[class].kind;

	unlink_slab(bin, page);
	bin->slabs--;
	pagemap_set(page, slab_pages(kind), TAG_OWNER(page_tags[page]), CLASS_UNUSED);
	push_stock(space, kind, page);
}

/* Take up to so many objects out of a slab. */
static int
take_from_slab(uint32 page, const SizeClass *class, void **objects, int wanted)
{
	Slab	   *slab = &page_slabs[page];
	char	   *start = pagemap_address(page);
	int			count = 0;

	for (int word = 0; word < SLAB_WORDS; word++)
	{
		uint64		free = ~slab->used[word];

		while (free != 0 && count < wanted)
		{
			int			first = pg_rightmost_one_pos64(free);

			free &= free - 1;
			objects[count++] = start + (Size) (word * WORD_BITS + first) * class->size;
		}
		slab->used[word] = ~free;
	}
	slab->live += count;
	return count;
}

/*
 * Take objects, up to so many: none when the bin has no room and the stock no
 * slab.  A slab of the stock is taken for the first of them only.
 */
int
depot_take(Namespace *space, uint64 life, uint32 class, void **objects, int wanted)
{
	Bin		   *bin = &space->bins[class].bin;
	int			count = 0;

	FAULT_POINT(DIE_BEFORE_FILL);
	if (!lock_bin(space, life, bin))
		return DEPOT_STALE;
	while (count < wanted)
	{
		uint32		page = fullest_slab(bin);

		if (page == NO_PAGE && count == 0)
			page = add_slab(space, namespace_owner(space, life), bin, class);
		if (page == NO_PAGE)
			break;
		count += take_from_slab(page, &size_classes[class], objects + count, wanted - count);
		regroup(bin, page, &size_classes[class]);
		FAULT_POINT(DIE_IN_FILL);
	}
	bin->out += count;
	bin->fills++;
	unlock(&bin->lock);
	FAULT_POINT(DIE_AFTER_FILL);
	return count;
}

/* The word of a slab's bitmap with an object's bit, and that bit; NULL if it is no object. */
static uint64 *
find_bit(uint8 owner, uint32 class, void *object, uint32 *page, uint64 *bit)
{
	Size		at = pagemap_page(object);
	PageTag		tag = page_tags[at];
	uint32		offset = pagemap_offset(object, tag);
	uint32		index = size_class_index(&size_classes[class], offset);

	if (TAG_OWNER(tag) != owner || (TAG_CLASS(tag) & ~CLASS_DRAINED) != class ||
		!size_class_divides(&size_classes[class], offset))
		return NULL;
	*page = at - TAG_POSITION(tag);
	*bit = UINT64CONST(1) << index % WORD_BITS;
	return &page_slabs[*page].used[index / WORD_BITS];
}

/* Is an object outside of its slab?  Nobody but who has it can change that. */
bool
depot_is_out(uint8 owner, uint32 class, void *object)
{
	uint32		page;
	uint64		bit;
	uint64	   *word = find_bit(owner, class, object, &page, &bit);

	return word != NULL && (*word & bit) != 0;
}

/* Put an object back into its slab; false if it is not one, or is there already. */
static bool
give_to_slab(Namespace *space, uint8 owner, Bin *bin, uint32 class, void *object)
{
	uint32		page;
	uint64		bit;
	uint64	   *word = find_bit(owner, class, object, &page, &bit);
	Slab	   *slab;

	if (word == NULL || (*word & bit) == 0)
		return false;
	slab = &page_slabs[page];
	*word &= ~bit;
	slab->live--;
	regroup(bin, page, &size_classes[class]);
	if (slab->live == 0 && bin->nonfull > 1)
		remove_slab(space, bin, class, page);
	return true;
}

/*
 * Keep those of some objects that are outside of their slabs.  An object that
 * was freed twice is inside after it was given once, and is somebody else's
 * when it is taken from there.
 */
static int
keep_those_out(uint8 owner, uint32 class, void **objects, int count, void **wrong)
{
	int			kept = 0;

	for (int i = 0; i < count; i++)
	{
		if (depot_is_out(owner, class, objects[i]))
			objects[kept++] = objects[i];
		else
			*wrong = objects[i];
	}
	return kept;
}

/*
 * Give objects back, and look at those that are kept, of which *kept are left
 * then.  One that could not be given, or kept, as it was in its slab already
 * or is no object at all, is put into wrong.  False if the life has passed.
 */
bool
depot_give(Namespace *space, uint64 life, uint32 class, void **objects, int count,
		   void **keep, int *kept, void **wrong)
{
	Bin		   *bin = &space->bins[class].bin;
	uint8		owner = namespace_owner(space, life);
	int			given = 0;

	if (!lock_bin(space, life, bin))
		return false;
	for (int i = 0; i < count; i++)
	{
		if (give_to_slab(space, owner, bin, class, objects[i]))
			given++;
		else
			*wrong = objects[i];
		FAULT_POINT(DIE_IN_FLUSH);
	}
	*kept = keep_those_out(owner, class, keep, *kept, wrong);
	bin->out -= given;
	bin->flushes++;
	unlock(&bin->lock);
	FAULT_POINT(DIE_AFTER_FLUSH);
	return true;
}

/* Give the stock the free slabs that bins keep so as not to ask for one at once. */
void
depot_tidy(Namespace *space)
{
	for (int class = 0; class < SIZES_COUNT; class++)
	{
		Bin		   *bin = &space->bins[class].bin;

		if (bin->slabs == 0)
			continue;
		lock(&bin->lock);
		while (bin->groups[0] != NO_PAGE)
			remove_slab(space, bin, class, bin->groups[0]);
		unlock(&bin->lock);
	}
}

/*
 * What all magazines together may keep, so that they do not have what others
 * are refused: a small part of the limit.
 */
#define CACHED_PART 32

static Size
most_reserved(Namespace *space)
{
	return namespace_limit(space) / CACHED_PART;
}

/* Let a magazine keep so many bytes more; false if it must not. */
bool
depot_reserve(Namespace *space, uint64 life, uint32 class, Size bytes)
{
	Bin		   *bin = &space->bins[class].bin;
	bool		granted;

	if (pg_atomic_read_u64(&space->reserved) + bytes > most_reserved(space))
		return false;
	if (!lock_bin(space, life, bin))
		return false;
	granted = pg_atomic_add_fetch_u64(&space->reserved, bytes) <= most_reserved(space);
	if (granted)
		bin->reserved += bytes;
	else
		pg_atomic_fetch_sub_u64(&space->reserved, bytes);
	unlock(&bin->lock);
	return granted;
}

void
depot_release(Namespace *space, uint64 life, uint32 class, Size bytes)
{
	Bin		   *bin = &space->bins[class].bin;

	if (!lock_bin(space, life, bin))
		return;
	bin->reserved -= bytes;
	pg_atomic_fetch_sub_u64(&space->reserved, bytes);
	unlock(&bin->lock);
}

/* Set a word of the namespace if its life has not passed. */
bool
depot_set(Namespace *space, uint64 life, pg_atomic_uint64 *word, uint64 value)
{
	bool		current;

	lock(&space->stock_lock);
	current = pg_atomic_read_u64(&space->life) == life;
	if (current)
		pg_atomic_write_u64(word, value);
	unlock(&space->stock_lock);
	return current;
}

/* Another namespace begins here: what the last one was used for is not counted as its. */
void
depot_count_anew(Namespace *space)
{
	for (int class = 0; class < SIZES_COUNT; class++)
	{
		Bin		   *bin = &space->bins[class].bin;

		lock(&bin->lock);
		bin->fills = 0;
		bin->flushes = 0;
		unlock(&bin->lock);
	}
}

/*
 * Large objects
 */

/* Free a large object: the keeper finds it.  False if it is not one in use. */
bool
depot_return_large(Namespace *space, uint64 life, Size page)
{
	uint8		owner = namespace_owner(space, life);
	bool		good;

	lock(&space->stock_lock);
	good = pg_atomic_read_u64(&space->life) == life &&
		page_tags[page] == TAG(owner, CLASS_LARGE, 0);
	if (good)
	{
		page_tags[page] = TAG(owner, CLASS_LARGE_FREED, 0);
		page_slabs[page].next = space->returned;
		space->returned = page;
		space->returned_pages += page_slabs[page].pages;
		space->large_pages -= page_slabs[page].pages;
		space->large_objects--;
	}
	unlock(&space->stock_lock);
	keeper_notice();
	return good;
}

void
depot_count_large(Namespace *space, uint32 pages)
{
	lock(&space->stock_lock);
	space->large_objects++;
	space->large_pages += pages;
	unlock(&space->stock_lock);
}

/* Large objects that were freed, linked by next, up to so many. */
uint32
depot_returned(Namespace *space, uint32 most)
{
	uint32		first = NO_PAGE;

	if (space->returned == NO_PAGE)
		return NO_PAGE;
	lock(&space->stock_lock);
	for (uint32 i = 0; i < most && space->returned != NO_PAGE; i++)
	{
		uint32		page = space->returned;

		space->returned = page_slabs[page].next;
		space->returned_pages -= page_slabs[page].pages;
		page_slabs[page].next = first;
		first = page;
	}
	unlock(&space->stock_lock);
	return first;
}

/* Forget all contents, and begin another life.  Only the keeper may. */
void
depot_clear(Namespace *space, uint64 life)
{
	bool		other = LIFE_GENERATION(life) != LIFE_GENERATION(pg_atomic_read_u64(&space->life));

	for (int class = 0; class < SIZES_COUNT; class++)
		lock(&space->bins[class].bin.lock);
	lock(&space->stock_lock);
	pg_atomic_write_u64(&space->life, life);
	pg_write_barrier();			/* whoever reads the root without a lock then reads this */
	pg_atomic_write_u64(&space->reserved, 0);
	pg_atomic_write_u64(&space->root, 0);
	for (int class = 0; class < SIZES_COUNT; class++)
	{
		empty_bin(&space->bins[class].bin);
		if (other)
			space->bins[class].bin.fills = space->bins[class].bin.flushes = 0;
	}
	for (int kind = 0; kind < SLAB_KINDS; kind++)
		init_stock(&space->stocks[kind]);
	space->returned = NO_PAGE;
	space->returned_pages = 0;
	space->large_objects = 0;
	space->large_pages = 0;
	unlock(&space->stock_lock);
	for (int class = SIZES_COUNT - 1; class >= 0; class--)
		unlock(&space->bins[class].bin.lock);
}
