/*-------------------------------------------------------------------------
 *
 * environment.c
 *	  Environment variables that reach the re-executed postmaster and go no
 *	  further.
 *
 * The dynamic linker and jemalloc read their variables once, when the program
 * starts.  What the user had set is kept: we put our words before or after
 * it, and remember the original in a variable of our own, from which it is
 * restored afterwards.  So no program that the server starts inherits
 * anything of ours.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include "lib/stringinfo.h"

#include "jemalloc/environment.h"

/*
 * Holds the pid of the postmaster that re-executed itself.  A value that is
 * not our own pid was inherited by mistake and means nothing.
 */
#define GUARD "JEMCTX_REEXECUTED"

/* JEMCTX_SAVED_x exists while x is extended: '=' and the original value, or '-'. */
#define SAVED_PREFIX "JEMCTX_SAVED_"
#define WAS_SET "="
#define WAS_UNSET "-"

/* The variables that may be extended. */
static const char *const variables[] = {"LD_PRELOAD", "GLIBC_TUNABLES", "MALLOC_CONF"};

static void
set_variable(const char *name, const char *value)
{
	if (setenv(name, value, 1) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not set environment variable \"%s\": %m", name)));
}

/* Is this the postmaster that re-executed itself? */
bool
environment_is_ours(void)
{
	const char *guard = getenv(GUARD);

	return guard != NULL && strtol(guard, NULL, 10) == getpid();
}

/* Mark the program that this process is about to execute. */
void
environment_mark(void)
{
	char		pid[16];

	snprintf(pid, sizeof(pid), "%d", (int) getpid());
	set_variable(GUARD, pid);
}

/*
 * Extend a variable: first goes before what the user has set, last after it
 * (either may be NULL), so that it depends on the variable's reader whose
 * word counts.
 */
void
environment_extend(const char *name, char separator, const char *first, const char *last)
{
	const char *original = getenv(name);
	const char *words[] = {first, original, last};
	char	   *saved_name = psprintf(SAVED_PREFIX "%s", name);
	StringInfoData value;

	initStringInfo(&value);
	for (int i = 0; i < lengthof(words); i++)
	{
		if (words[i] == NULL || words[i][0] == '\0')
			continue;
		if (value.len > 0)
			appendStringInfoChar(&value, separator);
		appendStringInfoString(&value, words[i]);
	}
	/* when it is extended once more, the first original is the one to keep */
	if (getenv(saved_name) == NULL)
		set_variable(saved_name, original ? psprintf(WAS_SET "%s", original) : WAS_UNSET);
	set_variable(name, value.data);
	pfree(value.data);
	pfree(saved_name);
}

/* What the user has set a variable to, or NULL. */
const char *
environment_original(const char *name)
{
	char	   *saved_name = psprintf(SAVED_PREFIX "%s", name);
	const char *saved = getenv(saved_name);

	pfree(saved_name);
	if (saved == NULL)
		return getenv(name);
	return strcmp(saved, WAS_UNSET) == 0 ? NULL : saved + strlen(WAS_SET);
}

/* Give every variable that was extended its original value back. */
void
environment_restore(void)
{
	for (int i = 0; i < lengthof(variables); i++)
	{
		char	   *saved_name = psprintf(SAVED_PREFIX "%s", variables[i]);
		const char *saved = getenv(saved_name);

		if (saved != NULL && strcmp(saved, WAS_UNSET) == 0)
			unsetenv(variables[i]);
		else if (saved != NULL)
			set_variable(variables[i], saved + strlen(WAS_SET));
		unsetenv(saved_name);
		pfree(saved_name);
	}
	unsetenv(GUARD);
}
