/*-------------------------------------------------------------------------
 *
 * initial.c
 *	  The namespaces that are made when the server starts.
 *
 * jemctx.namespaces is a list of names, each with a limit after a colon if it
 * has one: 'sessions:64MB, dictionary'.  A list that is wrong is refused where
 * it is set, and a server with one does not start.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/guc.h"

#include "namespace/initial.h"
#include "shared/directory.h"

typedef struct Initial
{
	char		name[NAMEDATALEN];
	Size		size_limit;
} Initial;

typedef struct InitialList
{
	Initial		items[NAMESPACE_SLOTS];
	int			count;
} InitialList;

static char *initial_list;

/* Parsed once in the postmaster. */
static InitialList initials;
static int	next;

#define HINT \
	"Set jemctx.namespaces to names separated by commas, each with a limit after a colon " \
	"if it has one, as in \"sessions:64MB, dictionary\"."

/* A text without the blanks around it. */
static char *
trim(char *text)
{
	char	   *end;

	text += strspn(text, " \t");
	end = text + strlen(text);
	while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	return text;
}

/* A number of kB, or one with a unit as in other settings.  Returns what is wrong, or NULL. */
static const char *
parse_limit(const char *text, Size *size_limit)
{
	int			kb;
	const char *hint = NULL;

	if (!parse_int(text, &kb, GUC_UNIT_KB, &hint) || kb < 0)
		return psprintf("\"%s\" is not a limit.", text);
	*size_limit = (Size) kb * 1024;
	return NULL;
}

static bool
is_in(const InitialList *list, const char *name)
{
	for (int i = 0; i < list->count; i++)
	{
		if (strcmp(list->items[i].name, name) == 0)
			return true;
	}
	return false;
}

/* Add an item to the list.  Returns what is wrong, or NULL. */
static const char *
parse_item(InitialList *list, char *item)
{
	Initial    *initial = &list->items[list->count];
	char	   *colon = strchr(item, ':');
	char	   *name;

	if (list->count == NAMESPACE_SLOTS)
		return psprintf("There can be %d namespaces.", NAMESPACE_SLOTS);
	if (colon)
		*colon = '\0';
	name = trim(item);
	if (!directory_name_is_valid(name))
		return psprintf("A name must have from 1 to %d characters, all of them printable ASCII.",
						NAMEDATALEN - 1);
	if (is_in(list, name))
		return psprintf("\"%s\" is in it twice.", name);
	strlcpy(initial->name, name, NAMEDATALEN);
	initial->size_limit = 0;
	list->count++;
	return colon ? parse_limit(trim(colon + 1), &initial->size_limit) : NULL;
}

/* Read a setting into a list.  Returns what is wrong, or NULL. */
static const char *
parse(InitialList *list, const char *setting)
{
	char	   *rest = pstrdup(setting);
	char	   *item;
	const char *wrong = NULL;

	list->count = 0;
	if (*trim(rest) == '\0')
		return NULL;
	while (wrong == NULL && (item = strsep(&rest, ",")) != NULL)
		wrong = parse_item(list, item);
	return wrong;
}

/*
 * While the server starts, PostgreSQL would answer an invalid value with a
 * warning, and go on without: initial_enter() looks then.
 */
static bool
check_list(char **newval, void **extra, GucSource source)
{
	InitialList list;
	const char *wrong;

	if (process_shared_preload_libraries_in_progress)
		return true;
	wrong = parse(&list, *newval);
	if (wrong == NULL)
		return true;
	GUC_check_errdetail("%s", wrong);
	GUC_check_errhint(HINT);
	return false;
}

/* In the postmaster: define the setting and read it. */
void
initial_enter(void)
{
	const char *wrong;

	DefineCustomStringVariable("jemctx.namespaces",
							   "Lists the namespaces that are made when the server starts.",
							   "Names separated by commas, with a limit after a colon if they have "
							   "one.",
							   &initial_list, "",
							   PGC_POSTMASTER, 0, check_list, NULL, NULL);
	wrong = parse(&initials, initial_list);
	if (wrong != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid list of namespaces: \"%s\"", initial_list),
				 errdetail("%s", wrong),
				 errhint(HINT)));
}

int
initial_count(void)
{
	return initials.count;
}

void
initial_rewind(void)
{
	next = 0;
}

/* The next namespace of the setting; false after the last. */
bool
initial_next(const char **name, Size *size_limit)
{
	if (next == initials.count)
		return false;
	*name = initials.items[next].name;
	*size_limit = initials.items[next].size_limit;
	next++;
	return true;
}
