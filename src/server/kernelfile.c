/*-------------------------------------------------------------------------
 *
 * kernelfile.c
 *	  Small files in which the kernel tells figures.
 *
 * Called from extent hooks, as all that looks at the machine: raises no errors,
 * allocates nothing, takes no locks, and leaves errno as it was.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>
#include <fcntl.h>
#include <unistd.h>

#include "server/kernelfile.h"

/*
 * A test of a checking build has the kernel's files elsewhere, below the
 * directory that this variable of the environment names; but for those of
 * processes.
 */
#ifdef JEMCTX_CHECKING
#define ELSEWHERE "JEMCTX_KERNEL_FILES"
#define PROCESSES "/proc/"
#define PATH_BYTES 2048

static int
open_file(const char *path)
{
	const char *directory = getenv(ELSEWHERE);
	char		elsewhere[PATH_BYTES];
	bool		is_processs = strncmp(path, PROCESSES, strlen(PROCESSES)) == 0 &&
		isdigit((unsigned char) path[strlen(PROCESSES)]);

	if (directory == NULL || is_processs)
		return open(path, O_RDONLY | O_CLOEXEC);
	snprintf(elsewhere, sizeof(elsewhere), "%s%s", directory, path);
	return open(elsewhere, O_RDONLY | O_CLOEXEC);
}
#else
static int
open_file(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC);
}
#endif

/* Read a whole file of less than size bytes as a string; false if it is not there, or empty. */
bool
kernelfile_read(const char *path, char *text, Size size)
{
	int			saved_errno = errno;
	int			file = open_file(path);
	ssize_t		length = 0;

	if (file >= 0)
	{
		length = read(file, text, size - 1);
		close(file);
	}
	text[Max(length, 0)] = '\0';
	errno = saved_errno;
	return length > 0;
}

/* The number after a word of a file, or missing. */
Size
kernelfile_number(const char *text, const char *word, Size missing)
{
	const char *found = strstr(text, word);

	return found ? strtoull(found + strlen(word), NULL, 10) : missing;
}
