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
#include "server/headroom.h"
#include "server/pressure.h"
#include "server/reserve.h"
#include "server/serverlimit.h"

/* In the postmaster, before any memory is counted. */
void
server_enter(void)
{
	account_enter();
	headroom_enter();
	pressure_enter();
	reserve_enter();
	serverlimit_enter();
}
