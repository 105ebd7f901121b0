/*-------------------------------------------------------------------------
 *
 * fuzz.c
 *	  Operations on contexts and namespaces in several sessions at once, as
 *	  libFuzzer wants them.
 *
 * Four bytes of the input are one operation.  They are dealt out to sessions
 * until a round ends: then all sessions perform theirs at the same time, each
 * beside the model on the board (board.h), some are perhaps cancelled or
 * killed, and when all are done the figures of the views are compared.
 *
 * In a round an object, and a namespace that is made, reset or dropped, is one
 * session's; an operation that would break that begins the next round.  Unless
 * the input wants a race: then all sessions do what they like with a
 * namespace, and afterwards it is seen what became of it.
 *
 *-------------------------------------------------------------------------
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "figures.h"
#include "races.h"
#include "server.h"

/* What takes long is done so often in an input, and is one byte in so many. */
#define MOST_TERMINATED 3
#define MOST_KILLED 1
#define TERMINATE_RARITY 4
#define KILL_RARITY 64

#define NOBODY (-1)

#define FLAGS (256 / SESSIONS)

typedef struct Session
{
	PGconn	   *connection;
	int			pid;
	int			signal;			/* to be sent in this round, or 0 */
	bool		cancelled;		/* in this round or the last: it may arrive late */
	bool		limited;		/* may be refused anything in this round */
	bool		worked;			/* has contexts to be cleaned up */
} Session;

/*
 * What is new besides places in the program: operations, one after the other,
 * and how they ended.
 */
static uint8_t sequences[OPERATIONS][OPERATIONS][2] EXTRA_COUNTERS;
static uint8_t outcomes[OPERATIONS][FLAGS][8] EXTRA_COUNTERS;

static Session sessions[SESSIONS];
static PGconn *observer;

/* Whose things are in this round. */
static int	object_owner[OBJECTS];
static int	space_owner[SPACES];	/* who alone may use it */
static uint8_t space_users[SPACES]; /* bits of sessions */

static int	terminated;
static int	killed;

/* The input that is being carried out. */
static const uint8_t *input;
static size_t input_size;

static const char *const names[] = {
#define FUZZ_NAME(name) #name,
	FUZZ_OPERATIONS(FUZZ_NAME)
};

/* Sizes on both sides of every border there is, and those that cannot be. */
static const uint64_t sizes[32] = {
	0, 1, 8, 16, 24, 48, 100, 240, 500, 1008, 1024, 2000, 4064, 4096, 6000, 8176,
	8192, 12272, 12288, 16384, 40000, 65536, 100000, 256 << 10, 1 << 20, 2 << 20, 3000000, 10 << 20,
	40 << 20, UINT64_C(1) << 30, (UINT64_C(1) << 44) + 20000, UINT64_MAX / 2 - 64
};
static const int nudges[8] = {0, 1, -1, 15, -16, 33, -8, 7};

static const int limits[8] = {0, 64 << 10, 1 << 20, 3 << 20, 8 << 20, 16 << 20, 48 << 20, 0};

static uint64_t
size_of(uint8_t number)
{
	uint64_t	size = sizes[number % 32];
	int			nudge = nudges[number / 32];

	return nudge < 0 && size < (uint64_t) -nudge ? 0 : size + nudge;
}

static void
decode(const uint8_t *bytes, Op *op, int *session)
{
	memset(op, 0, sizeof(*op));
	op->code = bytes[0] % OPERATIONS;
	*session = bytes[1] % SESSIONS;
	op->flags = bytes[1] / SESSIONS;
	op->slot = bytes[2];
	op->number = bytes[3];
	op->size = size_of(op->number);
	if (op->code == SPACE_CREATE || op->code == SPACE_LIMIT)
		op->size = limits[op->number % 8];
}

static void
print_operation(const Op *op, int session, const char *state)
{
	say("  %d %s slot %d number %d size %llu%s%s%s%s%s%s%s%s%s %s\n", session, names[op->code],
		op->slot, op->number, (unsigned long long) op->size,
		op->flags & OP_KEPT ? " kept" : "", op->flags & OP_RACE ? " race" : "",
		op->flags & OP_NO_OOM ? " no_oom" : "", op->flags & OP_ZERO ? " zero" : "",
		op->flags & OP_CONTEXT ? " context" : "", op->flags & OP_HUGE ? " huge" : "",
		op->raced ? " (raced)" : "", op->stale ? " (stale)" : "", state, op->sqlstate);
}

void
print_operations(void)
{
	static const char *const states[] = {"", ": runs", ": done"};

	say("the input:\n");
	for (size_t at = 0; at + OP_BYTES <= input_size; at += OP_BYTES)
	{
		Op			op;
		int			session;

		decode(input + at, &op, &session);
		print_operation(&op, session, "");
	}
	say("the round:\n");
	for (int session = 0; session < SESSIONS; session++)
	{
		const Queue *queue = &board->queues[session];

		for (uint32_t i = 0; i < queue->count; i++)
			print_operation(&queue->ops[i], session, states[queue->ops[i].state]);
	}
}

static void
open_session(Session *session)
{
	if (session->connection != NULL)
		PQfinish(session->connection);
	memset(session, 0, sizeof(*session));
	session->connection = server_connect();
	session->pid = PQbackendPID(session->connection);
}

static void
begin_round(void)
{
	for (int i = 0; i < OBJECTS; i++)
		object_owner[i] = NOBODY;
	for (int i = 0; i < SPACES; i++)
	{
		space_owner[i] = NOBODY;
		space_users[i] = 0;
	}
	for (int i = 0; i < SESSIONS; i++)
	{
		board->queues[i].count = 0;
		sessions[i].signal = 0;
		sessions[i].limited = false;
	}
	races_end();
	board->asked = 0;
}

/* The server has started over: nothing is left. */
static void
start_anew(void)
{
	for (int i = 0; i < SESSIONS; i++)
		server_wait_for_end(sessions[i].pid);
	PQfinish(observer);
	observer = server_connect();
	for (int i = 0; i < SESSIONS; i++)
		open_session(&sessions[i]);
	for (int i = 0; i < SPACES; i++)
	{
		memset(&board->spaces[i], 0, sizeof(Space));
		board->spaces[i].settled++;
	}
	memset(board->objects, 0, sizeof(board->objects));
}

static void
send_work(int number)
{
	PGconn	   *connection = sessions[number].connection;

	if (!PQsendQuery(connection, formatted("SELECT jemctx_fuzz(%d)", number)))
		finding(formatted("session %d: %s", number, PQerrorMessage(connection)));
	sessions[number].worked = true;
}

/* Show libFuzzer what a session has done. */
static void
count_outcomes(const Queue *queue)
{
	for (uint32_t i = 0; i < queue->count; i++)
	{
		const Op   *op = &queue->ops[i];

		outcomes[op->code][op->flags][op->sqlstate[0] ? op->sqlstate[4] % 8 : 0] = 1;
		if (i > 0)
			sequences[op[-1].code][op->code][op->raced] = 1;
	}
}

/* May a session's work end with this error? */
static bool
is_expected(const Session *session, const char *sqlstate, bool kill_sent)
{
	if (kill_sent && (sqlstate == NULL || strcmp(sqlstate, "57P02") == 0))
		return true;
	if (sqlstate == NULL)
		return false;
	return (session->cancelled && strcmp(sqlstate, "57014") == 0) ||
		(session->signal == SIGTERM && strcmp(sqlstate, "57P01") == 0) ||
		(session->limited && strcmp(sqlstate, "53200") == 0);
}

static void
receive_answer(int number, bool kill_sent)
{
	Session    *session = &sessions[number];
	PGresult   *result = server_answer(session->connection);

	if (PQresultStatus(result) != PGRES_TUPLES_OK &&
		!is_expected(session, PQresultErrorField(result, PG_DIAG_SQLSTATE), kill_sent))
		finding(formatted("session %d: %s", number,
						  result ? PQresultErrorMessage(result) :
						  PQerrorMessage(session->connection)));
	PQclear(result);
	count_outcomes(&board->queues[number]);
}

/* A session that was interrupted has left namespaces that it worked on in a state nobody knows. */
static void
find_unsure(const Queue *queue)
{
	for (uint32_t i = 0; i < queue->count; i++)
	{
		const Op   *op = &queue->ops[i];
		Space	   *space = &board->spaces[space_of_slot(op->slot)];

		if (op->state != OP_RUNS || !op_uses_space(op))
			continue;
		space->recount = true;
		if (op_takes_space(op))
			space->unsure = true;
	}
}

static void
settle(void)
{
	bool		interrupted = false;

	for (int i = 0; i < SESSIONS; i++)
	{
		interrupted |= sessions[i].signal != 0 || sessions[i].cancelled;
		find_unsure(&board->queues[i]);
	}
	for (int i = 0; i < SPACES; i++)
	{
		if (race_is_on(i) || board->spaces[i].unsure)
			figures_settle(observer, i, race_is_on(i), interrupted);
	}
}

static void
send_signals(bool *kill_sent)
{
	for (int i = 0; i < SESSIONS; i++)
	{
		if (sessions[i].signal == 0)
			continue;
		*kill_sent |= sessions[i].signal == SIGKILL;
		sessions[i].cancelled |= sessions[i].signal == SIGINT;
		kill(sessions[i].pid, sessions[i].signal);
	}
}

/* After the round: sessions that have ended are replaced. */
static void
replace_sessions(void)
{
	for (int i = 0; i < SESSIONS; i++)
	{
		if (sessions[i].signal == SIGTERM)
		{
			server_wait_for_end(sessions[i].pid);
			open_session(&sessions[i]);
		}
		else
			sessions[i].cancelled = sessions[i].signal == SIGINT;
	}
}

/* The namespaces are dropped: what sessions say of them from now on nobody wants to know. */
static void
end_races(void)
{
	for (int i = 0; i < SESSIONS; i++)
	{
		if (PQsendQuery(sessions[i].connection, "SELECT"))
			PQclear(server_answer(sessions[i].connection));
	}
	races_judge();
}

/* Have all sessions do their part, at the same time.  pause is in microseconds. */
static void
end_round(int pause)
{
	bool		kill_sent = false;
	bool		busy = false;

	for (int i = 0; i < SESSIONS; i++)
		busy |= board->queues[i].count > 0 || sessions[i].signal != 0;
	if (!busy)
		return;
	for (int i = 0; i < SESSIONS; i++)
	{
		if (board->queues[i].count > 0)
			send_work(i);
	}
	usleep(pause);
	send_signals(&kill_sent);
	for (int i = 0; i < SESSIONS; i++)
	{
		if (board->queues[i].count > 0)
			receive_answer(i, kill_sent);
	}
	if (kill_sent)
		start_anew();
	else
	{
		settle();
		replace_sessions();
		if (races_are_on())
			end_races();
	}
	figures_check(observer);
	begin_round();
}

/* Is something that the operation needs another session's in this round? */
static bool
is_taken(const Op *op, int session)
{
	int			space = space_of_slot(op->slot);

	if (!op_uses_space(op) || race_is_on(space))
		return false;
	if (space_owner[space] != NOBODY && space_owner[space] != session)
		return true;
	if (op_takes_space(op))
		return (space_users[space] & ~(1 << session)) != 0;
	return op_uses_object(op) && object_owner[op->slot] != NOBODY &&
		object_owner[op->slot] != session;
}

static void
take(const Op *op, int session)
{
	int			space = space_of_slot(op->slot);

	if (!op_uses_space(op))
		return;
	space_users[space] |= 1 << session;
	if (op_takes_space(op))
		space_owner[space] = session;
	if (op_uses_object(op))
		object_owner[op->slot] = session;
}

static void
deal(Op *op, int session)
{
	Queue	   *queue = &board->queues[session];
	int			space = space_of_slot(op->slot);
	bool		wants_race = (op->flags & OP_RACE) && op->code >= SPACE_CREATE &&
		op->code <= SPACE_RESET;

	if (wants_race && !race_is_on(space))
	{
		end_round(0);
		race_begin(space);
	}
	else if (is_taken(op, session) || queue->count == QUEUE)
		end_round(0);
	take(op, session);
	op->raced = race_is_on(space);
	sessions[session].limited |= op->code == LIMIT;
	if (op->size <= REGION_BYTES && op_uses_space(op))
		board->asked += (op->size + 4096) * (op->code == OBJECT_MANY ? op->number : 1);
	queue->ops[queue->count++] = *op;
}

/* End the round while one session is interrupted, some time after it has begun. */
static void
interrupt(const Op *op, int session)
{
	int			sent = SIGINT;

	if (op->code == TERMINATE && op->number % TERMINATE_RARITY == 0 &&
		terminated++ < MOST_TERMINATED)
		sent = SIGTERM;
	else if (op->code == KILL && op->number % KILL_RARITY == 0 && killed++ < MOST_KILLED)
		sent = SIGKILL;
	sessions[session].signal = sent;
	end_round(op->slot * op->slot / 32);
}

static void
perform(const uint8_t *bytes)
{
	Op			op;
	int			session;

	decode(bytes, &op, &session);
	if (op.code == ROUND_ENDS)
		end_round(0);
	else if (op.code == CANCEL || op.code == TERMINATE || op.code == KILL)
		interrupt(&op, session);
	else
		deal(&op, session);
}

/* Leave nothing to the next input. */
static void
clean_up(void)
{
	Op			op = {.code = CLEAN_UP};

	end_round(0);
	for (int i = 0; i < SESSIONS; i++)
	{
		if (sessions[i].worked)
			deal(&op, i);
	}
	end_round(0);
	for (int i = 0; i < SESSIONS; i++)
		sessions[i].worked = sessions[i].cancelled = false;
	figures_check_empty(observer);
}

int			LLVMFuzzerInitialize(int *argc, char ***argv);
int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void) signal(SIGPIPE, SIG_IGN);
	server_start();
	observer = server_connect();
	for (int i = 0; i < SESSIONS; i++)
		open_session(&sessions[i]);
	begin_round();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input = data;
	input_size = size;
	terminated = killed = 0;
	for (size_t at = 0; at + OP_BYTES <= size; at += OP_BYTES)
		perform(data + at);
	clean_up();
	return 0;
}
