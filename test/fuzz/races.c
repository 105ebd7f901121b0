/*-------------------------------------------------------------------------
 *
 * races.c
 *	  Namespaces that sessions race for in a round.
 *
 * An object that a reset took must not be freed any more, but sessions that
 * race do not know what others reset.  Such an object is rejected, or, where
 * another slab has its place, taken for one of the namespace: then it may be
 * called freed already when it goes back, and so may any other object.  Where
 * no reset can have come between an allocation and the free, neither may be.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <string.h>

#include "races.h"

#define REJECTED "22023"

typedef struct Race
{
	bool		is_on;
	char		warning[500];	/* the first that an object was freed already */
} Race;

static Race races[SPACES];

void
race_begin(int space)
{
	races[space].is_on = true;
	for (int slot = space; slot < OBJECTS; slot += SPACES)
		board->objects[slot].address = NULL;
}

bool
race_is_on(int space)
{
	return races[space].is_on;
}

bool
races_are_on(void)
{
	for (int space = 0; space < SPACES; space++)
	{
		if (races[space].is_on)
			return true;
	}
	return false;
}

void
races_end(void)
{
	memset(races, 0, sizeof(races));
	for (int space = 0; space < SPACES; space++)
	{
		Space	   *on = &board->spaces[space];

		on->created = on->dropped = on->resets_begun = on->resets_over = 0;
	}
}

bool
race_put_off(const char *message)
{
	for (int space = 0; space < SPACES; space++)
	{
		Race	   *race = &races[space];

		if (!race->is_on || strstr(message, formatted("\"" SPACE_NAME "\" was freed already",
													  space)) == NULL)
			continue;
		if (race->warning[0] == '\0')
			(void) snprintf(race->warning, sizeof(race->warning), "%s", message);
		return true;
	}
	return false;
}

/*
 * May an operation have freed what a reset took?  Of one that was interrupted
 * nobody knows.  Was one rejected?
 */
static void
look_at_operations(int space, bool *stale, bool *rejected)
{
	*stale = *rejected = false;
	for (int session = 0; session < SESSIONS; session++)
	{
		const Queue *queue = &board->queues[session];

		for (uint32_t i = 0; i < queue->count; i++)
		{
			const Op   *op = &queue->ops[i];

			if (!op_uses_space(op) || space_of_slot(op->slot) != space)
				continue;
			*stale |= op->stale || op->state == OP_RUNS;
			*rejected |= strcmp(op->sqlstate, REJECTED) == 0;
		}
	}
}

void
races_judge(void)
{
	for (int space = 0; space < SPACES; space++)
	{
		bool		stale;
		bool		rejected;

		if (!races[space].is_on)
			continue;
		look_at_operations(space, &stale, &rejected);
		if (stale)
			continue;
		if (races[space].warning[0] != '\0')
			finding(races[space].warning);
		if (rejected)
			finding("an object was rejected that no reset can have taken");
	}
}
