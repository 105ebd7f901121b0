/*-------------------------------------------------------------------------
 *
 * client.c
 *	  The connection to the client.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "compat/client.h"

/*
 * What log_disconnections wants to have logged, for a session that ends without
 * PostgreSQL's own code for that.  The message is PostgreSQL's, for those who
 * read logs.
 */
void
client_log_disconnection(void)
{
	const Port *port = MyProcPort;
	long		seconds;
	int			microseconds;

	if (port == NULL || strcmp(GetConfigOption("log_disconnections", false, false), "on") != 0)
		return;
	TimestampDifference(MyStartTimestamp, GetCurrentTimestamp(), &seconds, &microseconds);
	ereport(LOG,
			(errmsg("disconnection: session time: %d:%02d:%02d.%03d user=%s "
					"database=%s host=%s%s%s",
					(int) (seconds / SECS_PER_HOUR),
					(int) (seconds % SECS_PER_HOUR / SECS_PER_MINUTE),
					(int) (seconds % SECS_PER_MINUTE), microseconds / 1000,
					port->user_name, port->database_name, port->remote_host,
					port->remote_port[0] != '\0' ? " port=" : "", port->remote_port)));
}
