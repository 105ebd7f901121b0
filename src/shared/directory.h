/*-------------------------------------------------------------------------
 *
 * directory.h
 *	  Which namespaces there are: names and slots.
 *
 * Namespaces of all databases are in it.  The control lock protects it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_DIRECTORY_H
#define JEMCTX_DIRECTORY_H

#include "postgres.h"

#include "datatype/timestamp.h"

#include "shared/control.h"

/* What belongs together: a namespace that is dropped loses its name before its generation ends. */
typedef struct DirectoryEntry
{
	char		name[NAMEDATALEN];
	TimestampTz created_at;
	uint64		edition;
} DirectoryEntry;

extern bool directory_name_is_valid(const char *name);
extern Namespace *directory_find(const char *name, uint64 *edition);
extern bool directory_read(Namespace *space, DirectoryEntry *entry);
extern Namespace *directory_add(const char *name, Size size_limit, uint64 *edition, bool *exists);

/* For the keeper, which drops a namespace. */
extern void directory_hide(Namespace *space);
extern void directory_remove(Namespace *space);

#endif							/* JEMCTX_DIRECTORY_H */
