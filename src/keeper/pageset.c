/*-------------------------------------------------------------------------
 *
 * pageset.c
 *	  A set of pages that finds members, and gaps between them.
 *
 * A bitmap, and over it a binary tree whose nodes know the longest gap in
 * their part of it, and those at its two ends, of which one that crosses the
 * border of two parts is made.  So the lowest or highest gap of a length is
 * found on one way down the tree, and a change goes one way up, as far as it
 * makes a difference.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/mman.h>

#include "keeper/pageset.h"
#include "shared/bits.h"

/* Pages of a leaf: a cache line of the bitmap. */
#define LEAF_PAGES 512
#define LEAF_WORDS (LEAF_PAGES / WORD_BITS)

/* Memory that takes none until it is touched, and is zero; NULL if there is none. */
static void *
map(Size bytes)
{
	void	   *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
							 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return start == MAP_FAILED ? NULL : start;
}

/* The bits of a word that stand for pages from first to before end. */
static inline uint64
word_mask(Size word, Size first, Size end)
{
	Size		start = word * WORD_BITS;
	uint64		mask = ALL_BITS;

	if (start < first)
		mask <<= first - start;
	if (start + WORD_BITS > end)
		mask &= ALL_BITS >> (start + WORD_BITS - end);
	return mask;
}

/*
 * The first page from page on that is a member, or with flip ALL_BITS that is
 * none; end if there is none before.
 */
static Size
find(const uint64 *words, Size page, Size end, uint64 flip)
{
	while (page < end)
	{
		uint64		bits = (words[page / WORD_BITS] ^ flip) >> page % WORD_BITS;

		if (bits != 0)
			return Min(end, page + pg_rightmost_one_pos64(bits));
		page = (page / WORD_BITS + 1) * WORD_BITS;
	}
	return end;
}

/*
 * The tree
 */

/* The longest row of zeros between two ones, or least if that is more. */
static Size
longest_inside(uint64 word, Size least)
{
	word >>= pg_rightmost_one_pos64(word);
	while (word != ALL_BITS)
	{
		word >>= pg_rightmost_one_pos64(~word);
		if (word == 0)
			break;
		least = Max(least, pg_rightmost_one_pos64(word));
		word >>= pg_rightmost_one_pos64(word);
	}
	return least;
}

/* What a leaf is to be, by its words. */
static Gaps
leaf_gaps(const uint64 *words)
{
	Size		first = LEAF_PAGES;
	Size		longest = 0;
	Size		last = 0;

	for (int i = 0; i < LEAF_WORDS; i++)
	{
		uint64		word = words[i];

		if (word == 0)
		{
			last += WORD_BITS;
			continue;
		}
		last += pg_rightmost_one_pos64(word);
		if (first == LEAF_PAGES)
			first = last;
		longest = Max(longest, last);
		if (WORD_BITS - count_bits(word) > longest)
			longest = longest_inside(word, longest);
		last = WORD_BITS - 1 - pg_leftmost_one_pos64(word);
	}
	return (Gaps) {LEAF_PAGES - first, LEAF_PAGES - Max(longest, last), LEAF_PAGES - last};
}

/* Of two neighbours, each of span pages. */
static inline Gaps
join(Gaps left, Gaps right, Size span)
{
	Size		longest = 2 * span - left.last - right.first;	/* across the border */

	longest = Max(longest, span - Min(left.longest, right.longest));
	return (Gaps) {
		.first = left.first == 0 ? right.first : span + left.first,
		.longest = 2 * span - longest,
		.last = right.last == 0 ? left.last : span + right.last,
	};
}

/* What a node is to be, by its two children of span pages each. */
static inline Gaps
join_children(const PageSet *set, Size node, Size span)
{
	return join(set->nodes[2 * node], set->nodes[2 * node + 1], span);
}

/* Change a node; false if it is the same. */
static inline bool
replace(Gaps *node, Gaps gaps)
{
	bool		same = node->first == gaps.first && node->longest == gaps.longest &&
		node->last == gaps.last;

	*node = gaps;
	return !same;
}

/* Pages have changed: so do their leaves, and the nodes above. */
static void
refresh(PageSet *set, Size page, Size pages)
{
	uint32		first = set->leaves + page / LEAF_PAGES;
	uint32		last = set->leaves + (page + pages - 1) / LEAF_PAGES;
	bool		changed = false;

	for (Size node = first; node <= last; node++)
	{
		const uint64 *words = &set->words[(node - set->leaves) * LEAF_WORDS];

		changed |= replace(&set->nodes[node], leaf_gaps(words));
	}
	for (Size span = LEAF_PAGES; changed && first > 1; span *= 2)
	{
		first /= 2;
		last /= 2;
		changed = false;
		for (Size node = first; node <= last; node++)
			changed |= replace(&set->nodes[node], join_children(set, node, span));
	}
}

/* An empty set of pages below a number; false if there is no memory. */
bool
pageset_map(PageSet *set, Size pages)
{
	uint32		leaves = pg_nextpower2_32(Max(1, (pages + LEAF_PAGES - 1) / LEAF_PAGES));

	Size		bytes = (Size) leaves * LEAF_WORDS * sizeof(uint64);

	set->words = map(bytes + (Size) leaves * 2 * sizeof(Gaps));
	if (set->words == NULL)
		return false;
	set->nodes = (Gaps *) ((char *) set->words + bytes);
	set->leaves = leaves;
	return true;
}

/* Where the pages end: what is beyond is no gap. */
void
pageset_end(PageSet *set, Size pages)
{
	Size		rest = TYPEALIGN(LEAF_PAGES, pages) - pages;
	Size		node = set->leaves + pages / LEAF_PAGES;

	if (node == (Size) 2 * set->leaves)
		return;
	if (rest > 0)
		pageset_add(set, pages, rest);
	else
		set->nodes[node] = (Gaps) {LEAF_PAGES, LEAF_PAGES, LEAF_PAGES};
	for (Size span = LEAF_PAGES; node > 1; span *= 2)
	{
		if (node % 2 == 0)
			set->nodes[node + 1] = (Gaps) {span, span, span};
		node /= 2;
		set->nodes[node] = join_children(set, node, span);
	}
}

/*
 * Changes
 */

void
pageset_add(PageSet *set, Size page, Size pages)
{
	for (Size word = page / WORD_BITS; word * WORD_BITS < page + pages; word++)
		set->words[word] |= word_mask(word, page, page + pages);
	refresh(set, page, pages);
}

void
pageset_remove(PageSet *set, Size page, Size pages)
{
	for (Size word = page / WORD_BITS; word * WORD_BITS < page + pages; word++)
		set->words[word] &= ~word_mask(word, page, page + pages);
	refresh(set, page, pages);
}

/* Move all members to another set. */
void
pageset_move(PageSet *from, PageSet *to)
{
	Size		page;

	while ((page = pageset_next(from, 0)) != 0)
	{
		Size		first = TYPEALIGN_DOWN(LEAF_PAGES, page);

		for (Size word = first / WORD_BITS; word < (first + LEAF_PAGES) / WORD_BITS; word++)
		{
			to->words[word] |= from->words[word];
			from->words[word] = 0;
		}
		refresh(from, first, LEAF_PAGES);
		refresh(to, first, LEAF_PAGES);
	}
}

/*
 * Searches
 */

/* The first leaf after one that has members, or 0. */
static uint32
next_leaf(const PageSet *set, Size node)
{
	while (node % 2 != 0 || set->nodes[node + 1].longest == 0)
	{
		node /= 2;
		if (node <= 1)
			return 0;
	}
	node++;
	while (node < set->leaves)
		node = set->nodes[2 * node].longest != 0 ? 2 * node : 2 * node + 1;
	return node;
}

/* The first member from page on. */
Size
pageset_next(const PageSet *set, Size page)
{
	Size		end = TYPEALIGN_DOWN(LEAF_PAGES, page) + LEAF_PAGES;
	Size		found;
	uint32		leaf;

	if (page >= (Size) set->leaves * LEAF_PAGES)
		return 0;
	found = find(set->words, page, end, 0);
	if (found < end)
		return found;
	leaf = next_leaf(set, set->leaves + page / LEAF_PAGES);
	if (leaf == 0)
		return 0;
	page = (Size) (leaf - set->leaves) * LEAF_PAGES;
	return find(set->words, page, page + LEAF_PAGES, 0);
}

/* The lowest or highest place for the pages in a leaf that has one. */
static Size
place_in_leaf(const PageSet *set, Size start, Size pages, bool highest)
{
	Size		end = start + LEAF_PAGES;
	Size		place = 0;

	while (start < end)
	{
		Size		gap = find(set->words, start, end, ALL_BITS);

		start = find(set->words, gap, end, 0);
		if (start - gap < pages)
			continue;
		place = highest ? start - pages : gap;
		if (!highest)
			break;
	}
	return place;
}

/* The lowest or highest place for pages in a row. */
static Size
find_place(const PageSet *set, Size pages, bool highest)
{
	Size		span = (Size) set->leaves * LEAF_PAGES;
	Size		start = 0;
	Size		node = 1;

	if (span - set->nodes[1].longest < pages)
		return 0;
	while (node < set->leaves)
	{
		const Gaps *left = &set->nodes[2 * node];
		const Gaps *right = &set->nodes[2 * node + 1];
		bool		go_right = highest;

		span /= 2;
		node *= 2;
		if (span - (highest ? right : left)->longest < pages)
		{
			/* not in the half where one would like it, but across the border, or in the other */
			if (2 * span - left->last - right->first >= pages)
				return start + (highest ? 2 * span - right->first - pages : left->last);
			go_right = !highest;
		}
		if (go_right)
		{
			node++;
			start += span;
		}
	}
	return place_in_leaf(set, start, pages, highest);
}

/* Where the lowest gap that has room for the pages begins. */
Size
pageset_lowest_gap(const PageSet *set, Size pages)
{
	return find_place(set, pages, false);
}

/* The same for the highest one: it has the pages at its end. */
Size
pageset_highest_gap(const PageSet *set, Size pages)
{
	return find_place(set, pages, true);
}

/* How many of these pages are members? */
Size
pageset_count(const PageSet *set, Size page, Size pages)
{
	Size		count = 0;

	for (Size word = page / WORD_BITS; word * WORD_BITS < page + pages; word++)
		count += count_bits(set->words[word] & word_mask(word, page, page + pages));
	return count;
}

/* How many members are in a row from page on, up to most. */
Size
pageset_run(const PageSet *set, Size page, Size most)
{
	most = Min(most, (Size) set->leaves * LEAF_PAGES - page);
	return find(set->words, page, page + most, ALL_BITS) - page;
}

/* How many pages in a row from page on are no members, up to most. */
Size
pageset_room(const PageSet *set, Size page, Size most)
{
	most = Min(most, (Size) set->leaves * LEAF_PAGES - page);
	return find(set->words, page, page + most, 0) - page;
}
