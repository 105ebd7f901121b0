/*-------------------------------------------------------------------------
 *
 * leeway.c
 *	  How far beyond a limit an allocation may go.
 *
 * limit.c asks, from extent hooks, while leeway_make() makes one; overrun.c
 * says which gets how much.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/guc.h"

#include "arena/leeway.h"
#include "arena/refusal.h"
#include "arena/scarcity.h"

#define KB ((Size) 1024)
#define DEFAULT_HEADROOM (64 * 1024)

/*
 * How far PostgreSQL may pass a limit with what is small: the smallest block
 * that its contexts make do with when there is no memory, 1 MB, and jemalloc's
 * page beside it.  What is larger may not pass it at all.
 */
#define ALLOWANCE ((Size) (1024 + 32) * 1024)

/* Setting, in kB */
static int	library_headroom;

/* How far the allocation that is being made may pass a limit, and its size. */
static Leeway allowed;
static Size asked;

/* Has it? */
static bool passed;

/* What the process has held when the server had no room for it any more, or SIZE_MAX. */
static Size held_at_full = SIZE_MAX;

/* How far libraries have passed it, for as long as it is passed. */
static Size library_excess;

/* A library may have at least what PostgreSQL may. */
Size
leeway_headroom(void)
{
	return Max(library_headroom * KB, ALLOWANCE);
}

/* So far may the allocation that is being made pass a limit. */
static Size
farthest(void)
{
	switch (allowed)
	{
		case LEEWAY_NONE:
			return 0;
		case LEEWAY_SMALL:
			/* libraries may have returned it meanwhile */
			return asked <= ALLOWANCE ? library_excess + ALLOWANCE : 0;
		case LEEWAY_LIBRARY:
			return leeway_headroom();
		case LEEWAY_ANY:
			break;
	}
	return SIZE_MAX;
}

/*
 * May the process be so far beyond its own limit?  Called from extent hooks, as
 * are the next two.
 */
bool
leeway_admits(Size excess)
{
	if (excess > farthest())
		return false;
	if (allowed > LEEWAY_SMALL)
		library_excess = Max(library_excess, excess);
	passed = true;
	return true;
}

/*
 * May it have so many bytes more, beyond the server's limit?  What others do
 * there is their business, so what counts is what this one has had since.
 */
bool
leeway_admits_for_all(Size held, Size bytes)
{
	if (allowed == LEEWAY_NONE)
		return false;
	held_at_full = Min(held_at_full, held);
	return leeway_admits(held + bytes - held_at_full);
}

/* The server's limit has admitted something. */
void
leeway_room_for_all(void)
{
	held_at_full = SIZE_MAX;
}

/* Make the allocation, as far beyond a limit as that allows. */
void *
leeway_make(const Attempt *attempt, Leeway how)
{
	void	   *object;

	passed = false;
	allowed = how;
	asked = attempt->size;
	refusal_watch();
	object = scarcity_is_met() && !leeway_admits(scarcity_excess(attempt->size)) ? NULL :
		attempt->make(attempt);
	allowed = LEEWAY_NONE;
	return object;
}

/* Was that beyond? */
bool
leeway_was_used(void)
{
	return passed;
}

/* Do libraries' excesses let PostgreSQL go farther than usual? */
bool
leeway_is_wider(void)
{
	return library_excess > 0;
}

/* The limit is not passed any more. */
void
leeway_forget_libraries(void)
{
	library_excess = 0;
}

/* In the postmaster. */
void
leeway_enter(void)
{
	DefineCustomIntVariable("jemctx.library_headroom",
							"Sets how far a library may exceed a limit, since libraries do not "
							"check what malloc returns.",
							"The statement ends with an error as soon as the library has returned; "
							"a session whose library needs more ends.",
							&library_headroom, DEFAULT_HEADROOM, 0, MAX_KILOBYTES,
							PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
}
