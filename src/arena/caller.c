/*-------------------------------------------------------------------------
 *
 * caller.c
 *	  Who asks for memory, by the address that malloc returns to.
 *
 * The postgres binary looks at what each malloc of its own returns.  Anybody
 * else in the process is a library: so is an extension, as long as it calls
 * malloc and not palloc.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <dlfcn.h>
#include <link.h>

#include "access/xact.h"
#include "utils/timestamp.h"

#include "arena/caller.h"

#define PYTHON "libpython3."

/* When the statement began in which CPython was initialized. */
static TimestampTz python_starts = DT_NOBEGIN;

/*
 * Libraries that cope with every NULL, and whose users say so in an error that
 * refusal.c knows.  libpq is even used while a session ends: postgres_fdw
 * aborts what it has begun elsewhere.  The C library is none, since it returns
 * the NULL to other libraries: few look at what strdup() returns.
 */
static const char *const coping[] = {PYTHON, "libpq.so."};

/* The code of the postgres binary. */
static uintptr_t text_start;
static uintptr_t text_end;

/* The first object is the program. */
static int
find_text(struct dl_phdr_info *program, size_t size, void *arg)
{
	text_start = UINTPTR_MAX;
	for (int i = 0; i < program->dlpi_phnum; i++)
	{
		const ElfW(Phdr) *segment = &program->dlpi_phdr[i];
		uintptr_t	start = program->dlpi_addr + segment->p_vaddr;

		if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X))
			continue;
		text_start = Min(text_start, start);
		text_end = Max(text_end, start + segment->p_memsz);
	}
	return 1;
}

/* In the postmaster. */
void
caller_enter(void)
{
	dl_iterate_phdr(find_text, NULL);
}

bool
caller_is_postgres(const void *address)
{
	return (uintptr_t) address >= text_start && (uintptr_t) address < text_end;
}

/* Is it code of this module? */
bool
caller_is_ours(const void *address)
{
	Dl_info		its;
	Dl_info		ours;

	return dladdr(address, &its) != 0 && dladdr((const void *) caller_is_ours, &ours) != 0 &&
		its.dli_fbase == ours.dli_fbase;
}

/* The file's name, which stays where it is for as long as the library is loaded. */
const char *
caller_library(const void *address)
{
	Dl_info		info;
	const char *slash;

	if (dladdr(address, &info) == 0 || info.dli_fname == NULL)
		return "code without a library";
	slash = strrchr(info.dli_fname, '/');
	return slash ? slash + 1 : info.dli_fname;
}

/* Is it code of the C library, which PostgreSQL calls to copy strings and the like? */
bool
caller_is_libc(const void *address)
{
	return strncmp(caller_library(address), "libc.so.", strlen("libc.so.")) == 0;
}

static bool
is_named(const char *library, const char *name)
{
	return strncmp(library, name, strlen(name)) == 0;
}

/*
 * CPython is about to be initialized.  Neither it nor PL/Python copes with a
 * failure before that is done, which nobody tells us; but the statement is.
 */
void
caller_python_starts(void)
{
	python_starts = GetCurrentStatementStartTimestamp();
}

/* Is it a library that may be refused memory like PostgreSQL? */
bool
caller_copes(const void *address)
{
	const char *library = caller_library(address);

	if (is_named(library, PYTHON) && python_starts == GetCurrentStatementStartTimestamp())
		return false;
	for (int i = 0; i < lengthof(coping); i++)
	{
		if (is_named(library, coping[i]))
			return true;
	}
	return false;
}
