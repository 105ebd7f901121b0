/*-------------------------------------------------------------------------
 *
 * reexec.c
 *	  The postmaster executes itself again.
 *
 * At the time shared_preload_libraries are loaded the postmaster has neither
 * shared memory nor sockets nor children, so it can start over: same pid,
 * same arguments, same lock file.  A standalone backend does the same.
 *
 * One thing has changed since it was started: it has moved into the data
 * directory.  Relative paths that it has already resolved must not be
 * resolved again from there, so those on the command line, and PGDATA, are
 * replaced by what they were resolved to.  A relative path inside the
 * configuration file cannot be replaced; for that we go back to the directory
 * the server was started in.
 *
 * No argument is ever added, since pg_ctl restart repeats the arguments.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/guc.h"

#include "compat/postmaster.h"
#include "jemalloc/environment.h"
#include "jemalloc/reexec.h"
#include "jemalloc/trial.h"

/* The program that this process executes, whatever it calls itself. */
#define OWN_PROGRAM "/proc/self/exe"

/* The options of postgres, as PostmasterMain and process_postgres_switches have them. */
#define POSTGRES_OPTIONS "B:bc:C:D:d:EeFf:h:ijk:lN:nOPp:r:S:sTt:v:W:-:"

/* Settings that PostgreSQL resolves against the directory it is started in. */
typedef struct PathSetting
{
	const char *name;
	char	  **resolved;
	bool		on_command_line;	/* where it overrides the configuration file */
	ConfigVariable *in_file;	/* the last line that sets it, or NULL */
} PathSetting;

static PathSetting path_settings[] = {
	{.name = "config_file", .resolved = &ConfigFileName},
	{.name = "data_directory", .resolved = &DataDir},
	{.name = "hba_file", .resolved = &HbaFileName},
	{.name = "ident_file", .resolved = &IdentFileName},
	POSTMASTER_MORE_PATHS
};

static void
fail(const char *what)
{
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("jemctx could not restart the server with jemalloc: could not %s: %m", what),
			 errhint("Start the server with jemalloc in LD_PRELOAD instead.")));
}

/* This process's arguments, as the kernel has them. */
static char **
read_arguments(int *argc)
{
	StringInfoData buf;
	char	  **argv;
	int			fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t		got;

	initStringInfo(&buf);
	if (fd < 0)
		fail("open \"/proc/self/cmdline\"");
	do
	{
		enlargeStringInfo(&buf, 1024);
		got = read(fd, buf.data + buf.len, 1024);
		if (got < 0)
			fail("read \"/proc/self/cmdline\"");
		buf.len += (int) got;
	} while (got > 0);
	close(fd);

	*argc = 0;
	argv = palloc0((buf.len + 1) * sizeof(char *));
	for (int start = 0; start < buf.len; start += (int) strlen(buf.data + start) + 1)
		argv[(*argc)++] = buf.data + start;
	return argv;
}

/* The setting of that name, or NULL if it is no path. */
static PathSetting *
find_setting(const char *name, size_t len)
{
	for (int i = 0; i < lengthof(path_settings); i++)
	{
		bool		same = strlen(path_settings[i].name) == len;

		/* the command line may spell a setting with dashes */
		for (size_t c = 0; same && c < len; c++)
			same = path_settings[i].name[c] == (name[c] == '-' ? '_' : name[c]);
		if (same)
			return &path_settings[i];
	}
	return NULL;
}

/* Replace the end of one of the arguments, which begins at tail. */
static void
replace_tail(char **argv, int argc, const char *tail, const char *path)
{
	for (int i = 0; i < argc; i++)
	{
		if (tail >= argv[i] && tail <= argv[i] + strlen(argv[i]))
		{
			argv[i] = psprintf("%.*s%s", (int) (tail - argv[i]), argv[i], path);
			return;
		}
	}
}

/* The directory that -D or PGDATA named. */
static char *
config_directory(bool config_file_given)
{
	char	   *dir;

	if (config_file_given)
		return DataDir;
	dir = pstrdup(ConfigFileName);
	get_parent_directory(dir);
	return dir;
}

/* Make relative paths among the arguments, and in PGDATA, absolute. */
static void
resolve_arguments(int argc, char **argv)
{
	const char *directory = getenv("PGDATA");
	bool		directory_given = false;
	bool		config_file_given = false;
	int			opt;

	optind = 1;
	opterr = 0;
	while ((opt = getopt(argc, argv, POSTGRES_OPTIONS)) != -1)
	{
		char	   *value;
		PathSetting *setting;

		if (opt == 'D')
		{
			directory = optarg;
			directory_given = true;
		}
		if ((opt != 'c' && opt != '-') || (value = strchr(optarg, '=')) == NULL)
			continue;
		setting = find_setting(optarg, value++ - optarg);
		if (setting == NULL)
			continue;
		setting->on_command_line = true;
		if (setting->resolved == &ConfigFileName)
			config_file_given = true;
		if (!is_absolute_path(value))
			replace_tail(argv, argc, value, *setting->resolved);
	}

	if (directory == NULL || is_absolute_path(directory))
		return;
	if (directory_given)
		replace_tail(argv, argc, directory, config_directory(config_file_given));
	else if (setenv("PGDATA", config_directory(config_file_given), 1) != 0)
		fail("set PGDATA");
}

/*
 * The directory that a relative path of the configuration file was resolved
 * from is what is left of the resolved path without the relative one.
 */
static char *
start_directory(const PathSetting *setting)
{
	const char *path = *setting->resolved;
	char	   *relative = pstrdup(setting->in_file->value);
	int			start;

	canonicalize_path(relative);
	start = (int) strlen(path) - (int) strlen(relative);
	if (start < 1 || path[start - 1] != '/' || strcmp(path + start, relative) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("jemctx could not restart the server with jemalloc: setting \"%s\" is "
						"a relative path",
						setting->name),
				 errdetail("The path \"%s\" was resolved to \"%s\".", setting->in_file->value,
						   path),
				 errhint("Make it absolute in \"%s\".", setting->in_file->filename)));
	return start == 1 ? pstrdup("/") : pnstrdup(path, start - 1);
}

/*
 * Go back to where the server was started if a relative path in the
 * configuration file is in force.
 */
static void
return_to_start_directory(void)
{
	ConfigVariable *head = NULL;
	ConfigVariable *tail = NULL;

	if (!ParseConfigFile(ConfigFileName, true, NULL, 0, 0, LOG, &head, &tail))
		return;
	for (ConfigVariable *item = head; item != NULL; item = item->next)
	{
		PathSetting *setting = find_setting(item->name, strlen(item->name));

		if (setting != NULL && !item->ignore)
			setting->in_file = item;
	}
	for (int i = 0; i < lengthof(path_settings); i++)
	{
		PathSetting *setting = &path_settings[i];

		if (setting->on_command_line || setting->in_file == NULL ||
			is_absolute_path(setting->in_file->value))
			continue;
		if (chdir(start_directory(setting)) != 0)
			fail("return to the directory the server was started in");
		return;
	}
}

/* What we are about to put into the environment must be read. */
static void
require_obedient_linker(void)
{
	if (getauxval(AT_SECURE) == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("jemctx cannot bring jemalloc into this server"),
			 errdetail("\"%s\" has file capabilities, or a set-user-ID or set-group-ID bit, so the "
					   "dynamic linker ignores LD_PRELOAD and GLIBC_TUNABLES.",
					   my_exec_path),
			 errhint("Remove them, for example with \"setcap -r\", and give the server its "
					 "capabilities in another way, such as AmbientCapabilities in "
					 "its systemd unit.")));
}

/*
 * The file to be executed.  Not my_exec_path: that comes from argv[0], which a
 * script that has started the server may have set to its own name.  By its
 * name rather than through /proc, since ps shows the name; unless somebody
 * has put another file in its place.
 */
static const char *
program_path(void)
{
	static char path[MAXPGPATH];
	ssize_t		len = readlink(OWN_PROGRAM, path, sizeof(path) - 1);
	struct stat own;
	struct stat named;

	path[Max(len, 0)] = '\0';
	if (stat(OWN_PROGRAM, &own) == 0 && stat(path, &named) == 0 &&
		own.st_dev == named.st_dev && own.st_ino == named.st_ino)
		return path;
	return OWN_PROGRAM;
}

/*
 * Have signals for the program to be executed as at a start: PostgreSQL has
 * blocked them, and a start that hangs would be deaf.  What has come already
 * stays for the server to find, and so do messages to a server that runs;
 * they would end one that does not yet.
 */
static void
unblock_signals(void)
{
	sigset_t	blocked;

	(void) signal(SIGTERM, SIG_DFL);
	(void) signal(SIGINT, SIG_DFL);
	(void) signal(SIGQUIT, SIG_DFL);
	sigpending(&blocked);
	sigaddset(&blocked, SIGHUP);
	sigaddset(&blocked, SIGUSR1);
	sigaddset(&blocked, SIGUSR2);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
}

/* In a child: start the program as we are about to, but have it end at once. */
static void
start_on_trial(const void *program)
{
	char	   *argv[] = {my_exec_path, "--version", NULL};

	unblock_signals();
	execv(program, argv);
	_exit(127);
}

static const char *
trial_result(const Trial *trial)
{
	if (trial->end == TRIAL_HUNG)
		return psprintf("it did not end within %d seconds", TRIAL_SECONDS);
	if (WIFSIGNALED(trial->status))
		return psprintf("it was ended by signal %d (%s)\n%s", WTERMSIG(trial->status),
						pg_strsignal(WTERMSIG(trial->status)), trial->said);
	return psprintf("it ended with exit code %d\n%s", WEXITSTATUS(trial->status), trial->said);
}

/*
 * Libraries that the user has preloaded and jemalloc may not get along.  That
 * shows before main(), where nobody could say what is wrong.
 */
static void
require_start(const char *program)
{
	Trial		trial;
	const char *preload = getenv("LD_PRELOAD");
	const char *users = environment_original("LD_PRELOAD");

	trial_run(&trial, start_on_trial, program);
	if (trial_passed(&trial))
		return;
	if (trial.end == TRIAL_INTERRUPTED)
		ereport(FATAL,
				(errcode(ERRCODE_ADMIN_SHUTDOWN),
				 errmsg("terminating the start of the server by request")));
	ereport(ERROR,
			(errcode(ERRCODE_SYSTEM_ERROR),
			 errmsg("the server does not start together with jemalloc"),
			 errdetail("A trial with LD_PRELOAD=%s: %s", preload ? preload : "",
					   trial_result(&trial)),
			 users != NULL && users[0] != '\0' ?
			 errhint("Start the server without \"%s\" in LD_PRELOAD.", users) :
			 errhint("Set jemctx.jemalloc_library to another jemalloc, or jemctx.process_malloc "
					 "to \"system\".")));
}

/* Raise an ERROR if the program would not start over as the environment is now. */
void
reexec_try(void)
{
	require_obedient_linker();
	require_start(program_path());
}

/* Does not return: the program starts over. */
void
reexec_postmaster(void)
{
	int			argc;
	char	  **argv = read_arguments(&argc);
	const char *program = program_path();

	resolve_arguments(argc, argv);
	return_to_start_directory();

	/* The program finds its libraries by this name, so it must not be relative. */
	argv[0] = my_exec_path;
	(void) fflush(NULL);
	unblock_signals();
	execv(program, argv);
	fail("execute it");
	pg_unreachable();
}
