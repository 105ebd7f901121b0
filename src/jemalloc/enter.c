/*-------------------------------------------------------------------------
 *
 * enter.c
 *	  Get jemalloc into the server.
 *
 * There are three ways in.  The postmaster re-executes itself with jemalloc
 * preloaded.  Or, when malloc is to stay the system's, it opens the library
 * beside it, which takes another start as well where the spare static TLS of
 * the running process is too small.  Or the user has started the server with
 * jemalloc in LD_PRELOAD; then it starts over with that one, for what has to
 * be beside it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "miscadmin.h"
#include "utils/guc.h"

#include "compat/compat.h"
#include "jemalloc/enter.h"
#include "jemalloc/environment.h"
#include "jemalloc/jemalloc.h"
#include "jemalloc/library.h"
#include "jemalloc/mallctl.h"
#include "jemalloc/overcommit.h"
#include "jemalloc/reexec.h"

/* jemalloc's initial-exec TLS takes 2.6 kB; glibc keeps 1.6 kB spare. */
#define TLS_TUNABLE "glibc.rtld.optional_static_tls=8192"

/*
 * No separate arena for large allocations, since that one returns every freed
 * page at once and a statement faults it in again.  Blocks of memory contexts
 * are often 8 kB, and slabs of ours 4: a slab of many instead of a slab for
 * each, and freed extents of any size may be cut up for them.  Nor have other
 * powers of two a slab for each page, but one (see adopt.c): a new process makes
 * dozens of them, each an extent.  The thread's cache is small, since
 * PostgreSQL's contexts are in front of it, but has those blocks and the 27 kB
 * that each index scan takes and frees.  No huge pages, whatever the kernel's
 * default is: extents are large and hardly filled.  What the user sets comes
 * after and wins.
 */
#define SLAB_SIZES \
	"16-16:4|32-32:4|64-64:4|128-128:4|256-256:4|512-512:4|1024-1024:4|" \
	"4096-4096:8|8192-8192:16"
#define OUR_MALLOC_CONF \
	"oversize_threshold:0,thp:never,lg_extent_max_active_fit:30,slab_sizes:" SLAB_SIZES "," \
	"tcache_max:32768,tcache_nslots_small_max:8,tcache_nslots_large:4,lg_tcache_nslots_mul:-1"
#define PROFILE_MALLOC_CONF OUR_MALLOC_CONF ",prof:true,prof_active:false"

/*
 * But this comes last: one automatic arena, since a backend has one thread, and
 * only the memory of an arena that has our hooks is counted, limited and
 * returned.
 */
#define LAST_MALLOC_CONF "narenas:1,percpu_arena:disabled"

/* LD_PRELOAD is a list. */
#define LIST_SEPARATORS ": \t"

typedef enum ProcessMalloc
{
	PROCESS_MALLOC_JEMALLOC,
	PROCESS_MALLOC_SYSTEM
} ProcessMalloc;

static const struct config_enum_entry process_malloc_options[] = {
	{"jemalloc", PROCESS_MALLOC_JEMALLOC, false},
	{"system", PROCESS_MALLOC_SYSTEM, false},
	{NULL, 0, false}
};

static int	process_malloc;

#define LIBRARY_HINT \
	"Set jemctx.jemalloc_library to an absolute path, or to a name that the dynamic linker finds."

/*
 * What is wrong with the name of a library, or NULL.  It goes into LD_PRELOAD,
 * and the server does not stay where it was started.
 */
static const char *
name_fault(const char *name)
{
	if (name[0] == '\0' || strpbrk(name, LIST_SEPARATORS) != NULL)
		return "The name must not be empty or contain colons or spaces.";
	if (strchr(name, '/') != NULL && !is_absolute_path(name))
		return "A path must be absolute.";
	return NULL;
}

/* At the start, where a check hook cannot refuse it. */
static void
check_library_name(void)
{
	const char *fault = name_fault(jemalloc_library);

	if (fault != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid name of a jemalloc library: \"%s\"", jemalloc_library),
				 errdetail("%s", fault),
				 errhint(LIBRARY_HINT)));
}

/* Whoever sets what the next start would refuse is told at once. */
static bool
check_library(char **newval, void **extra, GucSource source)
{
	const char *fault = NULL;
	Trial		trial;

	if (!compat_statement_runs())
		return true;
	fault = name_fault(*newval);
	if (fault == NULL && !library_try(*newval, &trial))
	{
		CHECK_FOR_INTERRUPTS();
		fault = trial.said[0] != '\0' ? trial.said : "It cannot be loaded without harm.";
	}
	if (fault == NULL)
		return true;
	GUC_check_errdetail("%s", fault);
	GUC_check_errhint(LIBRARY_HINT);
	return false;
}

static void
define_settings(void)
{
	DefineCustomStringVariable("jemctx.jemalloc_library",
							   "Sets the jemalloc library that the server runs on.",
							   "An absolute path, or a name that the dynamic linker finds.",
							   &jemalloc_library, "libjemalloc.so.2",
							   PGC_POSTMASTER, 0, check_library, NULL, NULL);
	DefineCustomEnumVariable("jemctx.process_malloc",
							 "Selects whose malloc the whole server uses.",
							 "With \"system\" only the contexts of jemctx are in jemalloc.",
							 &process_malloc, PROCESS_MALLOC_JEMALLOC, process_malloc_options,
							 PGC_POSTMASTER, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("jemctx.profile",
							 "Starts jemalloc with heap profiling available.",
							 "Profiling begins in a backend with jemctx_profile_start().",
							 &jemalloc_profile, false,
							 PGC_POSTMASTER, 0, NULL, NULL, NULL);
}

static void
extend_malloc_conf(void)
{
	environment_extend("MALLOC_CONF", ',',
					   jemalloc_profile ? PROFILE_MALLOC_CONF : OUR_MALLOC_CONF, LAST_MALLOC_CONF);
}

/* Where a descriptor is a file, for the dynamic linker: its number follows. */
#define DESCRIPTOR "/proc/self/fd/"

/* The file that this module was loaded from. */
static const char *
own_path(void)
{
	Dl_info		info;

	return dladdr((void *) jemalloc_enter, &info) != 0 ? info.dli_fname : "";
}

/*
 * That file, by a name that can be put on a list.  A descriptor that serves as
 * such stays open until the program has started over.
 */
static const char *
listable_path(void)
{
	int			fd;

	if (strpbrk(own_path(), LIST_SEPARATORS) == NULL)
		return own_path();
	fd = open(own_path(), O_RDONLY);
	if (fd < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\": %m", own_path())));
	return psprintf(DESCRIPTOR "%d", fd);
}

static void
close_listed(void)
{
	if (strncmp(own_path(), DESCRIPTOR, strlen(DESCRIPTOR)) == 0)
		close((int) strtol(own_path() + strlen(DESCRIPTOR), NULL, 10));
}

/*
 * The dynamic linker would look for a relative path where the server is by
 * now, in its data directory, and go on without what it does not find.
 */
static void
require_absolute_preload(void)
{
	const char *preload = getenv("LD_PRELOAD");
	char	   *words = pstrdup(preload ? preload : "");
	char	   *rest = words;
	char	   *word;

	while ((word = strsep(&rest, LIST_SEPARATORS)) != NULL)
	{
		if (strchr(word, '/') != NULL && !is_absolute_path(word))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("jemctx could not restart the server with jemalloc: LD_PRELOAD has the "
							"relative path \"%s\"", word),
					 errhint("Make it absolute.")));
	}
	pfree(words);
}

/*
 * Start over with this module, whose malloc and fork handlers are to be in
 * front of jemalloc's, and then the library preloaded; NULL if it is there
 * without.  Does not return.
 */
static void
start_over(const char *library)
{
	require_absolute_preload();
	extend_malloc_conf();
	if (library != NULL)
		environment_extend("LD_PRELOAD", ':', library, NULL);
	environment_extend("LD_PRELOAD", ':', listable_path(), NULL);
	environment_mark();
	reexec_try();
	/* no earlier: what a library does to who opens it, it has then done to a child */
	if (library != NULL)
		library_probe(library);
	reexec_postmaster();
}

/* Have the library preloaded: does not return, except by ERROR. */
static void
enter_by_preload(bool reexecuted)
{
	if (reexecuted)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FILE),
				 errmsg("could not preload jemalloc library \"%s\"", jemalloc_library),
				 errdetail("The dynamic linker did not load it; its message precedes this one on "
						   "the standard error of the server."),
				 errhint("Set jemctx.jemalloc_library to the path of a jemalloc library.")));
	start_over(jemalloc_library);
}

/*
 * jemalloc is in the process.  The user has brought it, without what we need
 * beside it: so start over, unless the dynamic linker obeys nobody.
 */
static void
enter_by_presence(bool reexecuted)
{
	library_open(NULL, NULL);
	library_check();
	if (!reexecuted && getauxval(AT_SECURE) == 0)
		start_over(NULL);
	jemalloc_origin = reexecuted ? JEMALLOC_REEXECUTED : JEMALLOC_PRELOADED;
	close_listed();
}

/* Open the library beside the system's malloc, or start over to be able to. */
static void
enter_by_dlopen(bool reexecuted)
{
	const char *reason;

	if (!reexecuted)
		extend_malloc_conf();
	if (library_open(jemalloc_library, &reason))
		return;
	if (!reexecuted)
	{
		require_absolute_preload();
		library_probe(jemalloc_library);
		environment_extend("GLIBC_TUNABLES", ':', TLS_TUNABLE, NULL);
		environment_mark();
		reexec_try();
		reexec_postmaster();
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_FILE),
			 errmsg("could not open jemalloc library \"%s\"", jemalloc_library),
			 errdetail("%s", reason),
			 errhint("Set jemctx.process_malloc to \"jemalloc\", or jemctx.jemalloc_library to "
					 "another library.")));
}

/* It is no reason not to start. */
static void
warn_without_profiling(void)
{
	if (!mallctl_bool("config.prof"))
		ereport(WARNING,
				(errmsg("heap profiling is not available"),
				 errdetail("Library \"%s\" was built without it.", jemalloc_path()),
				 errhint("Set jemctx.jemalloc_library to a jemalloc configured with "
						 "--enable-prof.")));
	else if (!mallctl_bool("opt.prof"))
		ereport(WARNING,
				(errmsg("heap profiling is not available"),
				 errdetail("The server was started with jemalloc preloaded, and "
						   "without profiling."),
				 errhint("Start it without LD_PRELOAD, or with "
						 "MALLOC_CONF=prof:true,prof_active:false.")));
}

/*
 * Make the library available, in the postmaster (or a standalone backend)
 * while it loads shared_preload_libraries.  Returns with the table filled, or
 * not at all when the program has to start over for it, or raises an ERROR
 * that says what is wrong with the library.
 */
void
jemalloc_enter(void)
{
	bool		reexecuted = environment_is_ours();

	if (!process_shared_preload_libraries_in_progress)
		jemalloc_missing();
	define_settings();
	check_library_name();
	if (library_present())
		enter_by_presence(reexecuted);
	else if (process_malloc == PROCESS_MALLOC_JEMALLOC)
		enter_by_preload(reexecuted);
	else
	{
		enter_by_dlopen(reexecuted);
		jemalloc_origin = JEMALLOC_DLOPENED;
	}
	environment_restore();
	library_check();
	library_advise();
	overcommit_enter();

	if (jemalloc_profile)
		warn_without_profiling();
}
