/*-------------------------------------------------------------------------
 *
 * server.h
 *	  The server that is fuzzed, and connections to it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUZZ_SERVER_H
#define FUZZ_SERVER_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "board.h"

/* Whatever takes longer hangs. */
#define DEADLINE_SECONDS 120

extern Board *board;

/*
 * What libFuzzer takes for places that were reached, besides those in the
 * fuzzer; it clears them, too.
 */
#define EXTRA_COUNTERS __attribute__((section("__libfuzzer_extra_counters"), used))

/* Both end the program if anything goes wrong. */
extern void server_start(void);
extern PGconn *server_connect(void);

/* Wait for a process that ends, and that its connection is of no use. */
extern void server_wait_for_end(int pid);

/* The answer to what was sent.  It may say that the connection is lost. */
extern PGresult *server_answer(PGconn *connection);

/* Ask, and have an answer that is right. */
extern PGresult *server_query(PGconn *connection, const char *sql);

/* Report what is wrong, and end so that libFuzzer keeps the input. */
extern void finding(const char *message) __attribute__((noreturn));

extern const char *formatted(const char *format,...) __attribute__((format(printf, 1, 2)));
extern void say(const char *format,...) __attribute__((format(printf, 1, 2)));

/* fuzz.c: what was being done */
extern void print_operations(void);

/* races.c: is it a warning of a namespace that sessions race for? */
extern bool race_put_off(const char *message);

/* Try again for a while, as long as the condition is false. */
#define UNTIL(condition, otherwise) \
	do { \
		for (int try_ = 0; !(condition); try_++) \
		{ \
			if (try_ >= DEADLINE_SECONDS * 500) \
				finding(otherwise); \
			usleep(2000); \
		} \
	} while (0)

#endif							/* FUZZ_SERVER_H */
