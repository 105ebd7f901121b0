/*-------------------------------------------------------------------------
 *
 * backends.c
 *	  jemctx_backends and jemctx_server: the memory of all processes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/timestamp.h"

#include "arena/limit.h"
#include "compat/compat.h"
#include "compat/dsm.h"
#include "policy/budget.h"
#include "policy/registry.h"
#include "server/account.h"
#include "server/headroom.h"
#include "server/pressure.h"
#include "server/serverlimit.h"
#include "shared/control.h"
#include "views/row.h"

COMPAT_FUNCTION(jemctx_get_backends);
COMPAT_FUNCTION(jemctx_get_backends_1_1);
COMPAT_FUNCTION(jemctx_get_server);
COMPAT_FUNCTION(jemctx_get_server_1_1);

/* NULL gives NULL. */
static void
shared_column(Row *row, pg_atomic_uint64 *value)
{
	row_datum(row, value ? Int64GetDatum(pg_atomic_read_u64(value)) : (Datum) 0, value == NULL);
}

static void
account_columns(Row *row, Account *account)
{
	uint64		committed;

	if (account == NULL)
	{
		row_nulls(row, 4);
		return;
	}
	committed = pg_atomic_read_u64(&account->committed);
	row_int64(row, committed);
	/* which may have risen since */
	row_int64(row, Max(committed, pg_atomic_read_u64(&account->peak)));
	row_int64(row, Min(committed, pg_atomic_read_u64(&account->inherited)));
	shared_column(row, &account->refused);
}

/* What a process has published, if it has. */
static void
published_columns(Row *row, RegistryEntry *entry)
{
	RegistryFigures figures;

	if (entry == NULL || !registry_read(entry, &figures))
	{
		row_nulls(row, 5);
		return;
	}
	row_int64(row, figures.allocated);
	row_int64(row, figures.active);
	row_int64(row, figures.cache);
	if (figures.limit > 0)
		row_int64(row, figures.limit);
	else
		row_null(row);
	row_timestamptz(row, figures.published_at);
}

static void
told_columns(Row *row, RegistryEntry *entry)
{
	row_since(row, ROW_1_1);
	shared_column(row, entry ? &entry->kept : NULL);
	row_since(row, ROW_1_0);
	shared_column(row, entry ? &entry->purges : NULL);
	shared_column(row, entry ? &entry->purged : NULL);
}

static void
backend_row(Row *row, int number)
{
	int			pid;
	Account    *account = account_of(number, &pid);
	RegistryEntry *entry = pid != 0 ? registry_of(number, &pid) : NULL;

	if (pid == 0)
		return;
	row_int32(row, pid);
	account_columns(row, account);
	told_columns(row, entry);
	published_columns(row, entry);

	/* what another process has written into them meanwhile is not this one's */
	if (compat_proc_pid(number) == pid)
		row_end(row);
	else
		row_drop(row);
}

/* One's own backend is for everyone, the others for those who may see statistics. */
static void
backend_rows(FunctionCallInfo fcinfo, RowVersion declared)
{
	bool		all = has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
	Row			row;

	row_begin_as(&row, fcinfo, declared);
	registry_publish();
	for (int number = 0; number < compat_proc_count(); number++)
	{
		if (all || number == compat_proc_number())
			backend_row(&row, number);
	}
}

ROW_FUNCTIONS(jemctx_get_backends, backend_rows)

static void
known_column(Row *row, Size bytes)
{
	if (bytes == SIZE_MAX)
		row_null(row);
	else
		row_int64(row, bytes);
}

/* How many processes there are, and how many of them have no account. */
static void
count_processes(int *processes, int *unaccounted)
{
	*processes = *unaccounted = 0;
	for (int number = 0; number < compat_proc_count(); number++)
	{
		int			pid;
		Account    *account = account_of(number, &pid);

		*processes += pid != 0;
		*unaccounted += pid != 0 && account == NULL;
	}
}

/* The limit, where it comes from, and what of it is reserved. */
static void
limit_columns(Row *row, const MachineLook *look)
{
	bool		is_groups = look->cgroup_limit < look->total;
	Size		memory = machine_memory(look);

	if (serverlimit_is_counted())
		memory = serverlimit_bytes();
	else if (!serverlimit_is_automatic())
		memory = SIZE_MAX;
	known_column(row, memory);
	row_since(row, ROW_1_1);
	if (memory != SIZE_MAX)
	{
		row_text(row, serverlimit_is_counted() ? "setting" :
				 is_groups ? "control group" : "machine");
		row_int64(row, serverlimit_reserve_of(memory));
	}
	else
		row_nulls(row, 2);
	row_since(row, ROW_1_0);
}

static void
pressure_columns(Row *row)
{
	static const char *const names[] = {"none", "some", "high"};

	row_text(row, names[pressure_level()]);
	row_timestamptz(row, (TimestampTz) pg_atomic_read_u64(&pressure->since));
	for (int i = 0; i < PRESSURE_COUNTS; i++)
		shared_column(row, &pressure->counts[i]);
}

static void
server_row(FunctionCallInfo fcinfo, RowVersion declared)
{
	Row			row;
	MachineLook look;
	int			processes;
	int			unaccounted;
	int			holders;
	Size		namespaces = control_committed();

	row_begin_as(&row, fcinfo, declared);
	pressure_attend();
	headroom_look(&look);
	count_processes(&processes, &unaccounted);
	row_int32(&row, processes);
	row_int32(&row, unaccounted);
	row_int64(&row, account_processes() + namespaces);
	row_int64(&row, namespaces);
	row_since(&row, ROW_1_1);
	row_int64(&row, registry_kept(0, &holders));
	row_int64(&row, budget_limit());
	row_since(&row, ROW_1_0);
	limit_columns(&row, &look);
	known_column(&row, look.total);
	known_column(&row, look.machine_available);
	known_column(&row, look.cgroup_limit);
	row_since(&row, ROW_1_1);
	known_column(&row, look.available);
	pressure_columns(&row);
	known_column(&row, dsm_size());
	row_end(&row);
}

ROW_FUNCTIONS(jemctx_get_server, server_row)
