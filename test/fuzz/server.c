/*-------------------------------------------------------------------------
 *
 * server.c
 *	  The server that is fuzzed, and connections to it.
 *
 * It is started once, in a directory of its own, and ends when the fuzzer
 * does.  JEMCTX_FUZZ_BUILD has its programs and what is preloaded.
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "server.h"

static const char *const configuration =
	"shared_preload_libraries = 'jemctx'\n"
	"jemctx.process_malloc = system\n"	/* the sanitizer's */
	"jemctx.namespace_memory = 64MB\n"
	"jemctx.dirty_decay = 1s\n"
	"listen_addresses = ''\n"
	"fsync = off\n"
	"autovacuum = off\n"
	"shared_buffers = 16MB\n"
	"max_connections = 20\n"
	"max_parallel_workers_per_gather = 0\n"
	"restart_after_crash = on\n"
	"log_min_messages = warning\n"
	"client_min_messages = warning\n";

static char directory[] = "/tmp/jemctx_fuzz.XXXXXX";	/* short enough for a socket */
static pid_t owner;				/* the process that has started the server */
static pid_t postmaster;

/* What the server reaches. */
static uint8_t reached[COUNTERS] EXTRA_COUNTERS __attribute__((aligned(4096)));

Board	   *board;

/* The last eight of them are there. */
const char *
formatted(const char *format,...)
{
	static char buffers[8][500];
	static unsigned int next;
	char	   *buffer = buffers[next++ % 8];
	va_list		arguments;

	va_start(arguments, format);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is not */
	(void) vsnprintf(buffer, sizeof(buffers[0]), format, arguments);
	va_end(arguments);
	return buffer;
}

void
say(const char *format,...)
{
	va_list		arguments;

	va_start(arguments, format);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is not */
	(void) vfprintf(stderr, format, arguments);
	va_end(arguments);
}

static void __attribute__((noreturn))
fail(const char *what)
{
	perror(what);
	exit(1);
}

static bool
shell(const char *command)
{
	/* NOLINTNEXTLINE(cert-env33-c): nothing in the commands is from elsewhere */
	return system(command) == 0;
}

static void
stop(void)
{
	if (postmaster == 0 || getpid() != owner)
		return;
	kill(postmaster, SIGQUIT);
	waitpid(postmaster, NULL, 0);
	postmaster = 0;
	shell(formatted("rm -rf %s", directory));
}

/* With the end of the log, and all that sanitizers have reported. */
void
finding(const char *message)
{
	say("\nFINDING: %s\n", message);
	print_operations();
	/* a process that has reported something may be about to end */
	sleep(1);
	shell(formatted("cd %s && tail -n 30 log >&2; head -n 80 asan.* >&2 2>/dev/null", directory));
	stop();
	abort();
}

static void
configure(void)
{
	const char *path = formatted("%s/data/postgresql.conf", directory);
	FILE	   *file = fopen(path, "a");

	if (file == NULL || fputs(configuration, file) < 0 || fclose(file) != 0)
		fail(path);
}

/* The board's first part is laid over the counters, too. */
static void
map_board(void)
{
	const char *path = formatted("%s/board", directory);
	int			file = open(path, O_RDWR | O_CREAT, 0600);

	if (file < 0 || ftruncate(file, sizeof(Board)) != 0)
		fail(path);
	board = mmap(NULL, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	/* cppcheck-suppress leakReturnValNotUsed ; it is used by its other name */
	if (mmap(reached, COUNTERS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) ==
		MAP_FAILED ||
		board == MAP_FAILED)
		fail(path);
	close(file);
	setenv(BOARD_VARIABLE, path, 1);
}

/* In the child: become the postmaster, which ends with its parent. */
static void __attribute__((noreturn))
become_postmaster(const char *build)
{
	const char *program = formatted("%s/bin/postgres", build);

	prctl(PR_SET_PDEATHSIG, SIGQUIT);
	if (freopen(formatted("%s/log", directory), "w", stderr) == NULL ||
		dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		_exit(1);
	setenv("LD_PRELOAD", formatted("%s/libasan.so:%s/preload.so", build, build), 1);
	setenv("ASAN_OPTIONS",
		   formatted("detect_leaks=0:abort_on_error=1:disable_coredump=1:log_path=%s/asan",
					 directory), 1);
	setenv("UBSAN_OPTIONS", "print_stacktrace=1", 1);
	execl(program, program, "-D", formatted("%s/data", directory), "-k", directory, NULL);
	_exit(1);
}

void
server_start(void)
{
	const char *build = getenv("JEMCTX_FUZZ_BUILD");
	PGconn	   *connection;

	if (build == NULL)
	{
		say("use \"make fuzz\", which builds what is to be fuzzed\n");
		exit(1);
	}
	if (mkdtemp(directory) == NULL)
		fail(directory);
	map_board();
	if (!shell(formatted("%s/bin/initdb -D %s/data -A trust -U fuzz -N --no-locale -E "
						 "UTF8 >%s/initdb",
						 build, directory, directory)))
		fail("initdb");
	configure();
	owner = getpid();
	postmaster = fork();
	if (postmaster == 0)
		become_postmaster(build);
	if (atexit(stop) != 0)
		fail("atexit");
	connection = server_connect();
	PQclear(server_query(connection, "CREATE EXTENSION jemctx; CREATE EXTENSION jemctx_fuzz"));
	PQfinish(connection);
}

/*
 * Warnings are findings: that a checking build has found damage is one.  But
 * a process that ends may say so at any time, and where sessions race it is
 * seen at the end of the round whether an object may be freed already.
 */
static void
notice(void *arg, const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (sqlstate != NULL && (strcmp(sqlstate, "57P01") == 0 || strcmp(sqlstate, "57P02") == 0))
		return;
	if (sqlstate == NULL || strcmp(sqlstate, "22023") != 0 ||
		!race_put_off(PQresultErrorMessage(result)))
		finding(PQresultErrorMessage(result));
}

PGconn *
server_connect(void)
{
	const char *parameters = formatted("host=%s dbname=postgres user=fuzz", directory);
	PGconn	   *connection = NULL;

	UNTIL((PQfinish(connection), connection = PQconnectdb(parameters),
		   PQstatus(connection) == CONNECTION_OK),
		  PQerrorMessage(connection));
	PQsetNoticeReceiver(connection, notice, NULL);
	return connection;
}

void
server_wait_for_end(int pid)
{
	UNTIL(kill(pid, 0) != 0 && errno == ESRCH, formatted("process %d does not end", pid));
}

PGresult *
server_answer(PGconn *connection)
{
	PGresult   *last = NULL;
	PGresult   *result;
	time_t		deadline = time(NULL) + DEADLINE_SECONDS;

	for (;;)
	{
		struct pollfd socket = {.fd = PQsocket(connection), .events = POLLIN};

		while (PQstatus(connection) == CONNECTION_OK && PQisBusy(connection))
		{
			if (poll(&socket, 1, 1000) > 0)
				PQconsumeInput(connection);
			else if (time(NULL) > deadline)
				finding(formatted("no answer after %d s", DEADLINE_SECONDS));
		}
		result = PQgetResult(connection);
		if (result == NULL)
			return last;
		/* the first error is the one to know */
		if (last != NULL && PQresultStatus(last) == PGRES_FATAL_ERROR)
			PQclear(result);
		else
		{
			PQclear(last);
			last = result;
		}
	}
}

PGresult *
server_query(PGconn *connection, const char *sql)
{
	PGresult   *result;

	if (!PQsendQuery(connection, sql))
		finding(formatted("cannot ask %s: %s", sql, PQerrorMessage(connection)));
	result = server_answer(connection);
	if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK)
		finding(formatted("%s: %s", sql, PQresultErrorMessage(result)));
	return result;
}
