/*-------------------------------------------------------------------------
 *
 * depot.c
 *	  Free objects of a namespace, for all processes.
 *
 * Objects are taken from the fullest slabs, so that the others drain and
 * become free as a whole: when the sizes that a namespace is used for change,
 * its pages change over to them.  That needs help, since most objects that a
 * process frees it uses again without coming here, wherever they lie, which
 * keeps all slabs as full as they are.  So in a bin with much room slabs that
 * are not full are tagged as draining, and their objects are not used again
 * but given back here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "shared/bits.h"
#include "shared/depot.h"
#include "shared/failpoint.h"
#include "shared/lock.h"
#include "shared/region.h"
#include "shared/stock.h"

/* A bin is loose if so much of it is room, beside some slabs. */
#define LOOSE_DIVISOR 16
#define LOOSE_SLABS 4

/* The groups of slabs that are draining then. */
#define DRAINING_GROUPS 8

/* Lock a bin; false, and not locked, if the edition has passed. */
static bool
lock_bin(Namespace *space, uint64 edition, Bin *bin)
{
	lock(&bin->lock);
	if (pg_atomic_read_u64(&space->edition) == edition)
		return true;
	unlock(&bin->lock);
	return false;
}

/* Forget the slabs of a bin, but not what was counted since the namespace began. */
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
	stock_clear(space);
	for (int class = 0; class < SIZES_COUNT; class++)
	{
		LWLockInitialize(&space->bins[class].bin.lock, tranche);
		empty_bin(&space->bins[class].bin);
	}
}

/*
 * Lists of slabs in a bin
 */

/* Where a slab with that many objects in use belongs; BIN_GROUPS if it has no room. */
static inline uint8
slab_group(const Slab *slab, const SizeClass *class)
{
	return slab->live == 0 ? 0 : 1 + slab->live * (BIN_GROUPS - 1) / class->capacity;
}

/* Put a slab into one of the groups, if it has room. */
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

/* Take it out of its group, if it is in one. */
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

	return places - bin->out > places / LOOSE_DIVISOR + (uint64) LOOSE_SLABS * class->capacity;
}

/* Say in the tags of a slab whether it is draining. */
static inline void
tag_slab(uint32 page, const SizeClass *class, bool draining)
{
	if (((page_tags[page] & TAG_DRAINING) != 0) == draining)
		return;
	for (uint32 i = 0; i < slab_pages(class->kind); i++)
		page_tags[page + i] ^= TAG_DRAINING;
}

/* The objects of a slab have changed: so may its group, and whether it drains. */
static inline void
regroup(Bin *bin, uint32 page, const SizeClass *class)
{
	uint8		group = slab_group(&page_slabs[page], class);

	if (group == page_slabs[page].group)
		return;
	unlink_slab(bin, page);
	link_slab(bin, page, group);
	tag_slab(page, class, group < DRAINING_GROUPS && is_loose(bin, class));
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
 * Objects
 */

/* Mark all objects as in the slab, and what is past its end as not. */
static void
clear_slab(Slab *slab, uint32 capacity)
{
	for (uint32 word = 0; word < SLAB_WORDS; word++)
	{
		uint32		first = word * WORD_BITS;
		uint64		past = ALL_BITS;

		if (capacity >= first + WORD_BITS)
			past = 0;
		else if (capacity > first)
			past <<= capacity - first;
		slab->used[word] = past;
	}
	slab->live = 0;
}

/* Have the bin take a slab from the stock.  NO_PAGE if there is none. */
static uint32
add_slab(Namespace *space, uint8 owner, Bin *bin, uint32 class)
{
	SlabKind	kind = size_classes[class].kind;
	uint32		page = stock_pop(space, kind);

	if (page == NO_PAGE)
		return NO_PAGE;
	clear_slab(&page_slabs[page], size_classes[class].capacity);
	pagemap_set(page, slab_pages(kind), owner, class);
	link_slab(bin, page, 0);
	bin->slabs++;
	return page;
}

/* Give a slab without objects to the stock. */
static void
remove_slab(Namespace *space, Bin *bin, uint32 class, uint32 page)
{
	SlabKind	kind = size_classes[class].kind;

	unlink_slab(bin, page);
	bin->slabs--;
	pagemap_set(page, slab_pages(kind), TAG_OWNER(page_tags[page]), CLASS_UNUSED);
	stock_push(space, kind, page);
}

/* Take objects out of a slab, as many as are wanted or there. */
static int
take_from_slab(uint32 page, const SizeClass *class, void **objects, int wanted)
{
	Slab	   *slab = &page_slabs[page];
	char	   *start = region_address(page);
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
 * Take objects, up to those wanted: none when the bin has no room and the stock no
 * slab.  A slab of the stock is taken for the first of them only.
 */
int
depot_take(Namespace *space, uint64 edition, uint32 class, void **objects, int wanted)
{
	Bin		   *bin = &space->bins[class].bin;
	int			count = 0;

	FAILPOINT(DIE_BEFORE_FILL);
	if (!lock_bin(space, edition, bin))
		return DEPOT_STALE;
	while (count < wanted)
	{
		uint32		page = fullest_slab(bin);

		if (page == NO_PAGE && count == 0)
			page = add_slab(space, namespace_owner(space, edition), bin, class);
		if (page == NO_PAGE)
			break;
		count += take_from_slab(page, &size_classes[class], objects + count, wanted - count);
		regroup(bin, page, &size_classes[class]);
		FAILPOINT(DIE_IN_FILL);
	}
	bin->out += count;
	bin->fills++;
	unlock(&bin->lock);
	FAILPOINT(DIE_AFTER_FILL);
	return count;
}

/* The word of a slab's bitmap with an object's bit, and that bit; NULL if it is no object. */
static pg_attribute_always_inline uint64 *
find_bit(uint8 owner, uint32 class, void *object, uint32 *page, uint64 *bit)
{
	Size		at = region_page(object);
	PageTag		tag = page_tags[at];
	uint32		offset = pagemap_offset(object, tag);
	uint32		index = size_class_index(&size_classes[class], offset);

	if (TAG_OWNER(tag) != owner || (TAG_CLASS(tag) & ~CLASS_DRAINING) != class ||
		!size_class_divides(&size_classes[class], offset))
		return NULL;
	*page = at - TAG_POSITION(tag);
	*bit = BIT_OF(index);
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
 * Give objects back.  One that could not be given, as it was in its slab
 * already or is no object at all, is put into wrong.  False if the edition has passed.
 */
bool
depot_give(Namespace *space, uint64 edition, uint32 class, void **objects, int count, void **wrong)
{
	Bin		   *bin = &space->bins[class].bin;
	uint8		owner = namespace_owner(space, edition);
	int			given = 0;

	if (!lock_bin(space, edition, bin))
		return false;
	for (int i = 0; i < count; i++)
	{
		if (give_to_slab(space, owner, bin, class, objects[i]))
			given++;
		else
			*wrong = objects[i];
		FAILPOINT(DIE_IN_FLUSH);
	}
	bin->out -= given;
	bin->flushes++;
	unlock(&bin->lock);
	FAILPOINT(DIE_AFTER_FLUSH);
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
#define CACHED_DIVISOR 32

static Size
most_reserved(Namespace *space)
{
	return region_limit(space) / CACHED_DIVISOR;
}

/* Let a magazine keep this many bytes more; false if it must not. */
bool
depot_reserve(Namespace *space, uint64 edition, uint32 class, Size bytes)
{
	Bin		   *bin = &space->bins[class].bin;
	bool		granted;

	if (pg_atomic_read_u64(&space->reserved) + bytes > most_reserved(space))
		return false;
	if (!lock_bin(space, edition, bin))
		return false;
	granted = pg_atomic_add_fetch_u64(&space->reserved, bytes) <= most_reserved(space);
	if (granted)
		bin->reserved += bytes;
	else
		pg_atomic_fetch_sub_u64(&space->reserved, bytes);
	unlock(&bin->lock);
	return granted;
}

/* A magazine may keep fewer bytes from now on. */
void
depot_release(Namespace *space, uint64 edition, uint32 class, Size bytes)
{
	Bin		   *bin = &space->bins[class].bin;

	if (!lock_bin(space, edition, bin))
		return;
	bin->reserved -= bytes;
	pg_atomic_fetch_sub_u64(&space->reserved, bytes);
	unlock(&bin->lock);
}

/*
 * Make pages of a large object zero, by having their memory removed, since
 * then they take none where they are not used.  False, and nothing done, if
 * the edition has passed: the pages may be somebody else's.  So that it does not
 * pass meanwhile, one of the locks that it ends with is held; not for long.
 */
bool
depot_clear_pages(Namespace *space, uint64 edition, Size page, Size pages)
{
	Bin		   *bin = &space->bins[SIZES_COUNT - 1].bin;	/* few ask for this one */

	if (!lock_bin(space, edition, bin))
		return false;
	if (!region_remove(page, pages))
		memset(region_address(page), 0, pages * SIZES_PAGE);
	unlock(&bin->lock);
	return true;
}

/* Forget all contents, and begin another edition.  Only the keeper may. */
void
depot_clear(Namespace *space, uint64 edition)
{
	bool		other = GENERATION(edition) != GENERATION(pg_atomic_read_u64(&space->edition));

	for (int class = 0; class < SIZES_COUNT; class++)
		lock(&space->bins[class].bin.lock);
	lock(&space->stock_lock);
	pg_atomic_write_u64(&space->edition, edition);
	pg_write_barrier();			/* whoever reads the root without a lock then reads this */
	pg_atomic_write_u64(&space->reserved, 0);
	pg_atomic_write_u64(&space->root, 0);
	for (int class = 0; class < SIZES_COUNT; class++)
	{
		empty_bin(&space->bins[class].bin);
		if (other)
			space->bins[class].bin.fills = space->bins[class].bin.flushes = 0;
	}
	stock_clear(space);
	unlock(&space->stock_lock);
	for (int class = SIZES_COUNT - 1; class >= 0; class--)
		unlock(&space->bins[class].bin.lock);
}
