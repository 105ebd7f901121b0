/*-------------------------------------------------------------------------
 *
 * allocate.c
 *	  Allocate and free objects of a namespace.
 *
 * Most calls take an object from a magazine of the process or put one there.
 * What a pointer is, its page's tag says.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "arena/refusal.h"
#include "namespace/allocate.h"
#include "namespace/magazine.h"
#include "shared/failpoint.h"
#include "shared/region.h"
#include "shared/request.h"
#include "shared/stock.h"

static void
report_bad_pointer(JemctxNamespace *ns, void *pointer, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%p is not an object in use of namespace \"%s\"", pointer, ns->name),
			 errdetail("%s", detail)));
}

#define ADVICE_LIMIT \
	"Free what is not needed, or raise the limit with jemctx_namespace_set_limit()."
#define ADVICE_ALL \
	"All namespaces share jemctx.namespace_memory, jemctx.server_memory_limit, " \
	"and what the machine and its control groups have left."

/*
 * Have the error that somebody is going to raise say why there is no memory:
 * with the limit only if that is what refused it.
 */
void
namespace_explain(JemctxNamespace *ns, Size size)
{
	uint64		limit = region_limit(ns->space);
	uint64		held = pg_atomic_read_u64(&ns->space->committed);
	bool		limited = request_was_limited();
	char		holder[NAMEDATALEN + 16];

	snprintf(holder, sizeof(holder), "Namespace \"%s\"", ns->name);
	refusal_explain(&(Refusal) {
		.holder = holder,
		.held = held,
		.asked = size,
		.limit = limited && held + size > limit ? limit : 0,
		.advice = limited && limit < region_size() ? ADVICE_LIMIT : ADVICE_ALL
	});
}

static void
report_out_of_memory(JemctxNamespace *ns, Size size)
{
	namespace_explain(ns, size);
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of memory in namespace \"%s\"", ns->name)));
}

/* A free object of the class, with the keeper's help if need be, or NULL. */
static void *
allocate_small(JemctxNamespace *ns, uint32 class)
{
	void	   *object;
	bool		refused = false;

	while (!magazine_take(ns, class, &object))
	{
		int			count = magazine_fill(ns, class);

		if (count == DEPOT_STALE)
		{
			/* what was refused was for the edition that has ended */
			refused = false;
			magazine_check(ns);
		}
		else if (count == 0 && refused)
			return NULL;
		else if (count == 0)
			request_slabs(ns->space, ns->edition, size_classes[class].kind, &refused);
	}
	/* it may be more than the magazine may have */
	magazine_forget_last(ns);
	return object;
}

/* What of a large object is cleared in one step; the user may have changed his mind by then. */
#define CLEARED_BYTES ((Size) 4 * 1024 * 1024)

/*
 * Make a large object zero, unless its edition has passed: it is gone then.  If
 * that is interrupted, the object is freed.
 */
static void
clear_large(JemctxNamespace *ns, char *object, Size size)
{
	volatile bool current = true;

	PG_TRY();
	{
		for (Size done = 0; current && done < size; done += CLEARED_BYTES)
		{
			Size		bytes = Min(size - done, CLEARED_BYTES);

			FAILPOINT_PAUSE(PAUSE_IN_CLEAR);
			current = depot_clear_pages(ns->space, ns->edition, region_page(object + done),
										(bytes + SIZES_PAGE - 1) / SIZES_PAGE);
			CHECK_FOR_INTERRUPTS();
		}
	}
	PG_CATCH();
	{
		(void) stock_free_large(ns->space, ns->edition, region_page(object));
		PG_RE_THROW();
	}
	PG_END_TRY();
}

/* An object of an edition that has passed is gone with it, and another one is asked for. */
static void *
allocate_large(JemctxNamespace *ns, Size size, bool zero)
{
	void	   *object;
	bool		clean;
	uint64		edition;

	do
	{
		edition = ns->edition;
		object = request_large(ns->space, edition, size, &clean);
		if (object != NULL && zero && !clean)
			clear_large(ns, object, size);
		magazine_check(ns);
	} while (ns->edition != edition);
	return object;
}

/* There is no memory: NULL for those who take that, or an ERROR. */
static void *
refuse(JemctxNamespace *ns, Size size, int flags)
{
	pg_atomic_fetch_add_u64(&ns->space->refused, 1);
	if (flags & MCXT_ALLOC_NO_OOM)
		return NULL;
	report_out_of_memory(ns, size);
	return NULL;				/* keep compiler quiet */
}

static void
check_size(Size size, int flags)
{
	if (unlikely(size > ((flags & MCXT_ALLOC_HUGE) != 0 ? MaxAllocHugeSize : MaxAllocSize)))
		elog(ERROR, "invalid memory alloc request size %zu", size);
}

/* An object of any size, or NULL. */
static void *
allocate_any(JemctxNamespace *ns, Size size, bool zero)
{
	void	   *object;

	if (size > SIZES_LARGEST)
		return allocate_large(ns, size, zero);
	object = allocate_small(ns, size_class(size));
	if (object != NULL && zero)
		memset(object, 0, size);
	return object;
}

/*
 * What is not in a magazine, or must be zeroed, or is large.  What this
 * process keeps itself returns to the depot before it is refused memory.
 */
static void *pg_noinline
allocate_otherwise(JemctxNamespace *ns, Size size, int flags)
{
	bool		zero = (flags & MCXT_ALLOC_ZERO) != 0;
	void	   *object;

	magazine_check(ns);
	check_size(size, flags);
	object = allocate_any(ns, size, zero);
	if (object == NULL)
	{
		magazine_flush_all();
		object = allocate_any(ns, size, zero);
	}
	return object != NULL ? object : refuse(ns, size, flags);
}

/* No more than what most calls need, so that it needs no stack for the rest. */
void *
jemctx_namespace_allocate(JemctxNamespace *ns, Size size, int flags)
{
	if (likely(size <= SIZES_LARGEST && (flags & MCXT_ALLOC_ZERO) == 0) && magazine_is_current(ns))
	{
		uint32		class = size_class(size);
		void	   *object;

		if (likely(magazine_take(ns, class, &object)))
			return object;
	}
	return allocate_otherwise(ns, size, flags);
}

/*
 * Is the pointer to a small object of this namespace?  Of which class?  Not of
 * any if its slab is draining, unless that is ignored: others have slabs begin
 * to drain, and cease to, so that the tag must not be read twice.
 */
static inline bool
is_small_object(uint8 owner, void *pointer, uint32 ignored, uint32 *class)
{
	Size		page = region_page(pointer);
	PageTag		tag;

	if (unlikely(page >= region_pages))
		return false;
	tag = page_tags[page];
	*class = TAG_CLASS(tag) & ~ignored;
	return likely(TAG_OWNER(tag) == owner &&
				  size_class_divides(&size_classes[*class], pagemap_offset(pointer, tag)));
}

/* Is the slab of a small object draining? */
static inline bool
is_draining(void *pointer)
{
	return (TAG_CLASS(page_tags[region_page(pointer)]) & CLASS_DRAINING) != 0;
}

static bool
is_large_object(JemctxNamespace *ns, void *pointer)
{
	Size		page = region_page(pointer);

	return page < region_pages && page_tags[page] == TAG(ns->owner, CLASS_LARGE, 0) &&
		((uintptr_t) pointer & (SIZES_PAGE - 1)) == 0;
}

/* Why the pointer is none to an object in use. */
static const char *
mistake_with(JemctxNamespace *ns, void *pointer)
{
	Size		page = region_page(pointer);
	PageTag		tag = page < region_pages ? page_tags[page] : 0;

	if (page >= region_pages)
		return "It is not a pointer into the memory of namespaces.";
	if (TAG_OWNER(tag) == 0)
		return "No object begins there.";
	if (TAG_OWNER(tag) != ns->owner && (TAG_OWNER(tag) - ns->owner) % NAMESPACE_SLOTS == 0)
		return "It was freed by a reset or drop.";
	if (TAG_OWNER(tag) != ns->owner)
		return "It points to memory of another namespace.";
	if (TAG_CLASS(tag) == CLASS_LARGE_FREED || TAG_CLASS(tag) == CLASS_UNUSED)
		return "It was freed already.";
	return "No object begins there.";
}

/* Is the small object one that this process, or everybody, knows to be free? */
static bool
is_free(JemctxNamespace *ns, uint32 class, void *pointer)
{
	return magazine_has(ns, class, pointer) || !depot_is_out(ns->owner, class, pointer);
}

/*
 * Raise an ERROR unless the pointer is to an object of the namespace that is
 * in use, as far as can be told.  False if it is a large one.
 */
static bool
check_object(JemctxNamespace *ns, void *pointer, uint32 *class)
{
	if (is_small_object(ns->owner, pointer, CLASS_DRAINING, class))
	{
		if (is_free(ns, *class, pointer))
			report_bad_pointer(ns, pointer, "It was freed already.");
		return true;
	}
	if (!is_large_object(ns, pointer))
		report_bad_pointer(ns, pointer, mistake_with(ns, pointer));
	return false;
}

static void
free_large(JemctxNamespace *ns, void *pointer)
{
	if (stock_free_large(ns->space, ns->edition, region_page(pointer)))
		return;
	magazine_check(ns);
	report_bad_pointer(ns, pointer, "It was freed already.");
}

/* What does not fit into a magazine, or is not to get there, or is large, or a mistake. */
static void pg_noinline
free_otherwise(JemctxNamespace *ns, void *pointer)
{
	uint32		class;

	magazine_check(ns);
	magazine_flush_wanted(ns);
	magazine_forget_last(ns);
	if (!check_object(ns, pointer, &class))
		free_large(ns, pointer);
	else if (is_draining(pointer))
		magazine_drain(ns, class, pointer);
	else if (!magazine_put(ns, class, pointer))
		magazine_empty_half(ns, class, pointer);
}

/* Is it the object allocated last, which has stayed in its magazine, and may? */
static inline bool
is_last(const JemctxNamespace *ns, void *pointer)
{
	return pointer == ns->last && pointer != NULL && magazine_is_current(ns) &&
		!is_draining(pointer);
}

void
jemctx_namespace_free(JemctxNamespace *ns, void *pointer)
{
	uint32		class;

	if (is_last(ns, pointer))
		ns->last = NULL;
	else if (!is_small_object(ns->owner, pointer, 0, &class) || !magazine_is_current(ns) ||
			 unlikely(!magazine_put(ns, class, pointer)))
		free_otherwise(ns, pointer);
}

/*
 * Free a chunk of the namespace's context, and have its header say so.  That
 * is written when no more than a mistake with another object can be found, and
 * before the chunk may be somebody else's.
 */
void
namespace_free_chunk(JemctxNamespace *ns, void *chunk, ChunkOwner *header, ChunkOwner freed)
{
	uint32		class;

	if (is_last(ns, chunk))
	{
		*header = freed;
		ns->last = NULL;
		return;
	}
	if (is_small_object(ns->owner, chunk, 0, &class) && magazine_is_current(ns))
	{
		*header = freed;
		if (likely(magazine_put(ns, class, chunk)))
			return;
	}
	else
	{
		magazine_check(ns);
		check_object(ns, chunk, &class);
		*header = freed;
	}
	free_otherwise(ns, chunk);
}

Size
jemctx_namespace_usable_size(JemctxNamespace *ns, void *pointer)
{
	uint32		class;

	magazine_check(ns);
	if (check_object(ns, pointer, &class))
		return size_classes[class].size;
	return page_slabs[region_page(pointer)].pages * SIZES_PAGE;
}
