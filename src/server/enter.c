/*-------------------------------------------------------------------------
 *
 * enter.c
 *	  The room of what all processes hold together is entered.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "server/account.h"
#include "server/enter.h"

/* In the postmaster, before any memory is counted. */
void
server_enter(void)
{
	account_enter();
}
