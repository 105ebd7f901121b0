/*-------------------------------------------------------------------------
 *
 * pressure.c
 *	  Is memory short, on the machine, in a control group, or below a limit?
 *
 * Whoever comes by and finds that nobody has judged for a while does it for
 * all: processes that grow, or end a statement, and the keeper by its clock.
 * That may be in an extent hook, where nothing can be done about it; so what is
 * to be done is done by whoever next comes by elsewhere.
 *
 * It rises at once, and falls when it has been lower for a while: what is
 * returned because of it would end it otherwise, and begin it again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/shmem.h"
#include "utils/timestamp.h"

#include "compat/clock.h"
#include "compat/shmem.h"
#include "server/account.h"
#include "server/headroom.h"
#include "server/pressure.h"
#include "server/serverlimit.h"

/* How often one judges, over the whole server. */
#define JUDGE_MS 250

/* So long it must have been lower before it falls. */
#define CALM_MS 3000

/* So long an appeal is known to everybody. */
#define APPEAL_MS 1000

/* While it is high, who has become idle meanwhile is asked again after this time. */
#define REPEAT_MS 5000

PressureState *pressure;

static PressureActor act;

/* What is left beyond the reserve when a level begins: this part of what there is for all. */
static const int begins_at[] = {[PRESSURE_SOME] = 10, [PRESSURE_HIGH] = 32};

static Size
size(void)
{
	return sizeof(PressureState);
}

static void
init(void)
{
	pg_atomic_init_u32(&pressure->level, PRESSURE_NONE);
	pg_atomic_init_u32(&pressure->told, PRESSURE_NONE);
	pg_atomic_init_u64(&pressure->told_at, 0);
	pg_atomic_init_u64(&pressure->since, GetCurrentTimestamp());
	pg_atomic_init_u64(&pressure->judged_at, 0);
	pg_atomic_init_u64(&pressure->reached_at, 0);
	/* unknown: not more than that, as far as the first one to judge is concerned */
	pg_atomic_init_u64(&pressure->ooms, PG_UINT64_MAX);
	pg_atomic_init_u64(&pressure->appealed_at, 0);
	for (int i = 0; i < PRESSURE_COUNTS; i++)
		pg_atomic_init_u64(&pressure->counts[i], 0);
}

/* In the postmaster. */
void
pressure_enter(void)
{
	shmem_add("jemctx pressure", (void **) &pressure, size, init);
}

/* In the postmaster: say what is to be done. */
void
pressure_set_actor(PressureActor actor)
{
	act = actor;
}

/* One more; any process, any time. */
void
pressure_count(PressureCount count)
{
	if (pressure != NULL)
		pg_atomic_fetch_add_u64(&pressure->counts[count], 1);
}

/* Somebody is about to be refused memory, and asks all others for what they do not use. */
void
pressure_appeal(void)
{
	if (pressure != NULL)
		pg_atomic_write_u64(&pressure->appealed_at, clock_ms());
}

/* Is a request for a purge so urgent that it cannot wait for the end of a statement? */
bool
pressure_is_appealed(void)
{
	return pressure != NULL &&
		(pressure_level() > PRESSURE_NONE ||
		 clock_ms() - (int64) pg_atomic_read_u64(&pressure->appealed_at) < APPEAL_MS);
}

/* The level when so much is left of what there is for all. */
static Pressure
level_for(Size left, Size memory)
{
	Size		reserved = serverlimit_reserve_of(memory);

	if (left < reserved + memory / begins_at[PRESSURE_HIGH])
		return PRESSURE_HIGH;
	if (left < reserved + memory / begins_at[PRESSURE_SOME])
		return PRESSURE_SOME;
	return PRESSURE_NONE;
}

/* Below the limit that was set, if there is one. */
static Pressure
level_below_limit(void)
{
	Size		limit = serverlimit_bytes();
	Size		held;

	if (!serverlimit_is_counted())
		return PRESSURE_NONE;
	held = account_server();
	return level_for(limit > held ? limit - held : 0, limit);
}

/* On the machine, and in its control groups. */
static Pressure
level_of_machine(void)
{
	MachineLook look;
	MachineSigns signs;
	Pressure	level = PRESSURE_NONE;

	headroom_look(&look);
	machine_signs(&signs, &look, pg_atomic_read_u64(&pressure->ooms));
	pg_atomic_write_u64(&pressure->ooms, signs.ooms);
	if (look.available != SIZE_MAX)
		level = level_for(look.available, machine_memory(&look));
	if (signs.starves)
		return PRESSURE_HIGH;
	return signs.stalls ? Max(level, PRESSURE_SOME) : level;
}

static void
set_level(Pressure before, Pressure level)
{
	if (before == PRESSURE_NONE)
		pressure_count(PRESSURE_ROSE);
	if (before < PRESSURE_HIGH && level == PRESSURE_HIGH)
		pressure_count(PRESSURE_ROSE_HIGH);
	pg_atomic_write_u64(&pressure->since, GetCurrentTimestamp());
	pg_atomic_write_u32(&pressure->level, level);
}

/* Does everybody who does not judge wait for this process, at that time? */
static bool
is_our_turn(int64 now)
{
	uint64		last = pg_atomic_read_u64(&pressure->judged_at);

	return now - (int64) last >= JUDGE_MS &&
		pg_atomic_compare_exchange_u64(&pressure->judged_at, &last, now);
}

/*
 * Judge, if that is due.  Returns whether there is something to be done, by
 * pressure_attend().  May be called from extent hooks: raises no errors,
 * allocates nothing, takes no locks.
 */
bool
pressure_judge(void)
{
	int64		now = clock_ms();
	Pressure	before;

	if (pressure == NULL)
		return false;
	before = pressure_level();
	if (is_our_turn(now))
	{
		Pressure	machine = level_of_machine();
		Pressure	limit = level_below_limit();
		Pressure	level = Max(machine, limit);

		if (level >= before)
			pg_atomic_write_u64(&pressure->reached_at, now);
		if (level > before ||
			(level < before && now - (int64) pg_atomic_read_u64(&pressure->reached_at) > CALM_MS))
			set_level(before, level);
	}
	return pg_atomic_read_u32(&pressure->told) != pg_atomic_read_u32(&pressure->level);
}

/* Is it to be done again, with those who were busy before? */
static bool
must_repeat(int64 now)
{
	return pressure_level() == PRESSURE_HIGH &&
		now - (int64) pg_atomic_read_u64(&pressure->told_at) >= REPEAT_MS;
}

/*
 * The same, and do what is to be done.  May raise errors, where the process has
 * a PGPROC.
 */
void
pressure_attend(void)
{
	uint32		told;
	uint32		level;
	int64		now;

	if (pressure == NULL)
		return;
	(void) pressure_judge();
	now = clock_ms();
	told = pg_atomic_read_u32(&pressure->told);
	level = pg_atomic_read_u32(&pressure->level);
	if ((told == level && !must_repeat(now)) ||
		!pg_atomic_compare_exchange_u32(&pressure->told, &told, level))
		return;
	pg_atomic_write_u64(&pressure->told_at, now);
	if (act != NULL)
		act((Pressure) told, (Pressure) level);
}
