/*-------------------------------------------------------------------------
 *
 * pool.c
 *	  What the types of contexts share.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "context/pool.h"

void
context_creation_failed(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of memory"),
			 errdetail("Failed while creating memory context \"%s\".", name)));
}
