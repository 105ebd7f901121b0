/*-------------------------------------------------------------------------
 *
 * initial.c
 *	  The namespaces that are made when the server starts.
 *
 * jemctx.namespaces is a list of names, each with a limit after a colon if it
 * has one: 'sessions:64MB, dictionary'.  A server whose list is wrong does not
 * start, and says what is wrong.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/guc.h"

#include "namespace/initial.h"
#include "namespace/shared.h"

typedef struct Initial
{
	char		name[NAMEDATALEN];
	Size		size_limit;
} Initial;

static char *initial_list;

/* Parsed once in the postmaster. */
static Initial initials[NAMESPACE_SLOTS];
static int	initials_count;
static int	next;

static void
wrong(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid list of namespaces: \"%s\"", initial_list),
			 errdetail("%s", detail),
			 errhint("Set jemctx.namespaces to names separated by commas, each with a limit after a colon if it has one, as in \"sessions:64MB, dictionary\".")));
}

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

/* A number of kB, or one with a unit as in other settings. */
static Size
parse_limit(const char *text)
{
	int			kb;
	const char *hint = NULL;

	if (!parse_int(text, &kb, GUC_UNIT_KB, &hint) || kb < 0)
		wrong(psprintf("\"%s\" is not a limit.", text));
	return (Size) kb * 1024;
}

static void
parse_item(char *item)
{
	Initial    *initial = &initials[initials_count];
	char	   *colon = strchr(item, ':');
	char	   *name;

	if (initials_count == NAMESPACE_SLOTS)
		wrong(psprintf("There can be %d namespaces.", NAMESPACE_SLOTS));
	if (colon)
		*colon = '\0';
	name = trim(item);
	if (name[0] == '\0' || strlen(name) >= NAMEDATALEN)
		wrong(psprintf("A name must have from 1 to %d bytes.", NAMEDATALEN - 1));
	for (int i = 0; i < initials_count; i++)
	{
		if (strcmp(initials[i].name, name) == 0)
			wrong(psprintf("\"%s\" is in it twice.", name));
	}
	strlcpy(initial->name, name, NAMEDATALEN);
	initial->size_limit = colon ? parse_limit(trim(colon + 1)) : 0;
	initials_count++;
}

/* In the postmaster: define the setting and read it. */
void
initial_enter(void)
{
	char	   *list;
	char	   *item;

	DefineCustomStringVariable("jemctx.namespaces",
							   "Lists the namespaces that are made when the server starts.",
							   "Names separated by commas, with a limit after a colon if they have one.",
							   &initial_list, "",
							   PGC_POSTMASTER, 0, NULL, NULL, NULL);
	list = pstrdup(initial_list);
	if (*trim(list) == '\0')
		return;
	while ((item = strsep(&list, ",")) != NULL)
		parse_item(item);
}

int
initial_count(void)
{
	return initials_count;
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
	if (next == initials_count)
		return false;
	*name = initials[next].name;
	*size_limit = initials[next].size_limit;
	next++;
	return true;
}
