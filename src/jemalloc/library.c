/*-------------------------------------------------------------------------
 *
 * library.c
 *	  Find a jemalloc library and check that it is one we can use.
 *
 * The library is either in the process already, because the dynamic linker
 * was told to preload it, or it is opened beside the system's malloc with
 * RTLD_LOCAL, so that nobody else's symbols resolve to it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include "jemalloc/jemalloc.h"
#include "jemalloc/library.h"
#include "jemalloc/mallctl.h"
#include "jemalloc/mapping.h"

#define MIN_MAJOR 5
#define MIN_MINOR 3

/* Is some library of this process a jemalloc (or claims to be)? */
bool
library_present(void)
{
	return dlsym(RTLD_DEFAULT, "mallctl") != NULL;
}

/* The functions wanted of the library, and where they go in the table. */
static const struct
{
	const char *name;
	void	  **slot;
}			functions[] = {
	{"mallocx", (void **) &je.mallocx},
	{"rallocx", (void **) &je.rallocx},
	{"xallocx", (void **) &je.xallocx},
	{"sallocx", (void **) &je.sallocx},
	{"dallocx", (void **) &je.dallocx},
	{"nallocx", (void **) &je.nallocx},
	{"mallctl", (void **) &je.mallctl},
	{"malloc_stats_print", (void **) &je.malloc_stats_print},
};

static void
report_not_jemalloc(const char *name, const char *missing)
{
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("library \"%s\" is not a jemalloc that jemctx can use", name),
			 errdetail("It has no function \"%s\".", missing),
			 errhint("Set jemctx.jemalloc_library to a jemalloc 5.3 or later without "
					 "symbol prefix, "
					 "such as \"libjemalloc.so.2\" of package libjemalloc2.")));
}

/* Do two symbols of this process come from the same library? */
static bool
same_library(void *a, void *b)
{
	Dl_info		info_a;
	Dl_info		info_b;

	return dladdr(a, &info_a) != 0 && dladdr(b, &info_b) != 0 &&
		info_a.dli_fbase == info_b.dli_fbase;
}

/* Fill the table from handle. */
static void
library_bind(void *handle, const char *name)
{
	for (int i = 0; i < lengthof(functions); i++)
	{
		*functions[i].slot = dlsym(handle, functions[i].name);
		if (*functions[i].slot == NULL)
			report_not_jemalloc(name, functions[i].name);
	}
	/* malloc itself may be ours, in front of jemalloc's: see arena/malloc.c */
	jemalloc_is_malloc = same_library(dlsym(RTLD_DEFAULT, "free"),
									  (void *) je.mallctl);
}

/*
 * Fill the table from the library that is in the process, or open it when
 * name is given.  Returns false, with the dynamic linker's reason, when it
 * cannot be opened.
 */
bool
library_open(const char *name, const char **reason)
{
	void	   *handle = RTLD_DEFAULT;

	if (name != NULL && (handle = dlopen(name, RTLD_NOW | RTLD_LOCAL)) == NULL)
	{
		*reason = dlerror();
		return false;
	}
	library_bind(handle, name ? name : jemalloc_library);
	return true;
}

/*
 * Open the library, or raise an ERROR that says why it cannot be.  Returns
 * NULL when it may be fine and yet not be loadable now, for want of static
 * TLS; that is why we re-execute.
 */
static void *
open_on_trial(const char *name)
{
	void	   *handle = dlopen(name, RTLD_LAZY | RTLD_LOCAL);
	const char *reason = handle == NULL ? dlerror() : NULL;

	if (handle == NULL && strstr(reason, "static TLS") == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FILE),
				 errmsg("could not load jemalloc library \"%s\"", name),
				 errdetail("%s", reason),
				 errhint("Install jemalloc (package libjemalloc2 on Debian and Ubuntu, "
						 "jemalloc elsewhere), "
						 "or set jemctx.jemalloc_library to its path.")));
	for (int i = 0; handle != NULL && i < lengthof(functions); i++)
	{
		if (dlsym(handle, functions[i].name) == NULL)
			report_not_jemalloc(name, functions[i].name);
	}
	return handle;
}

/*
 * Complain if the library named could not be preloaded, before the postmaster
 * re-executes itself with it: the dynamic linker would only write a line to
 * stderr and go on without.
 */
void
library_probe(const char *name)
{
	void	   *handle = open_on_trial(name);

	if (handle != NULL)
		dlclose(handle);
}

static void
check_version(MallctlFunction mallctl)
{
	const char *version = "unknown";
	size_t		len = sizeof(version);	/* NOLINT(bugprone-sizeof-expression): of the pointer */
	int			major = 0;
	int			minor = 0;

	if (mallctl("version", &version, &len, NULL, 0) != 0 ||
		sscanf(version, "%d.%d", &major, &minor) != 2 ||	/* NOLINT(cert-err34-c): they fit */
		major < MIN_MAJOR || (major == MIN_MAJOR && minor < MIN_MINOR))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("jemalloc version %s is too old", version),
				 errdetail("jemctx needs jemalloc %d.%d or later.", MIN_MAJOR, MIN_MINOR),
				 errhint("Set jemctx.jemalloc_library to a newer jemalloc.")));
}

static void
check_statistics(MallctlFunction mallctl, const char *name)
{
	bool		has_them = false;
	size_t		len = sizeof(has_them);

	if (mallctl("config.stats", &has_them, &len, NULL, 0) != 0 || !has_them)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("jemalloc library \"%s\" was built without statistics", name),
				 errdetail("jemctx shows and limits memory by jemalloc's statistics."),
				 errhint("Set jemctx.jemalloc_library to a jemalloc configured with "
						 "--enable-stats.")));
}

/* Raise an ERROR unless the library in the table is new enough and has statistics. */
void
library_check(void)
{
	check_version(je.mallctl);
	check_statistics(je.mallctl, jemalloc_path());
}

/* What keeps a server from starting with the library named is an ERROR, or the end of the child. */
static void
load_in_child(const void *name)
{
	MemoryContext old = CurrentMemoryContext;

	PG_TRY();
	{
		void	   *handle = open_on_trial(name);
		MallctlFunction mallctl = handle ? (MallctlFunction) dlsym(handle, "mallctl") : NULL;

		if (mallctl != NULL)
		{
			check_version(mallctl);
			check_statistics(mallctl, name);
		}
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(old);
		error = CopyErrorData();
		(void) printf("%s\n%s", error->message, error->detail);
		(void) fflush(stdout);
		_exit(1);
	}
	PG_END_TRY();
}

/* Could a server start with the library?  If not, the trial says why. */
bool
library_try(const char *name, Trial *trial)
{
	trial_run(trial, load_in_child, name);
	return trial_passed(trial);
}

/*
 * Advise the kernel about what of an object's data has no file, and about what
 * its code maps, if base says that it is the object.
 */
static int
advise_object(struct dl_phdr_info *object, size_t size, void *base)
{
	for (int i = 0; i < object->dlpi_phnum; i++)
	{
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		uintptr_t	start = object->dlpi_addr + segment->p_vaddr;
		uintptr_t	zeros = TYPEALIGN(sysconf(_SC_PAGESIZE), start + segment->p_filesz);
		uintptr_t	end = start + segment->p_memsz;

		if (object->dlpi_addr != (uintptr_t) base || segment->p_type != PT_LOAD)
			continue;
		if (segment->p_flags & PF_X)
			mapping_advise(start, end);
		if (end > zeros)
			madvise((void *) zeros, end - zeros, MADV_NOHUGEPAGE);
	}
	return 0;
}

/*
 * jemalloc's own variables take 2 MB, and use a few pages of that: no huge
 * page for them, nor for what it maps for itself, if none for anything else of
 * jemalloc's.
 */
void
library_advise(void)
{
	Dl_info		info;

	if (strcmp(mallctl_string("opt.thp"), "never") == 0 && dladdr((void *) je.mallctl, &info) != 0)
		dl_iterate_phdr(advise_object, info.dli_fbase);
	mapping_settle();
}
