/*-------------------------------------------------------------------------
 *
 * preload.c
 *	  Preloaded into the fuzzed server: the board, and what the program reaches.
 *
 * jemctx is built so that it calls __sanitizer_cov_trace_pc() wherever its
 * control flow branches.  Each process notes that on the board, so that the
 * fuzzer is guided by what all of them do, the keeper too.
 *
 *-------------------------------------------------------------------------
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "board.h"

Board	   *fuzz_board;

/* the name that the compiler calls: */
/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
void		__sanitizer_cov_trace_pc(void);

static void __attribute__((constructor))
map_board(void)
{
	const char *path = getenv(BOARD_VARIABLE);
	int			file = path ? open(path, O_RDWR) : -1;
	void	   *board;

	if (file < 0)
		return;
	board = mmap(NULL, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	close(file);
	if (board != MAP_FAILED)
		fuzz_board = board;
}

/* Not counted how often: that differs from run to run. */
void
__sanitizer_cov_trace_pc(void)
{
	uintptr_t	place = (uintptr_t) __builtin_return_address(0);

	if (fuzz_board != NULL)
		fuzz_board->counters[(place ^ place >> 16) % COUNTERS] = 1;
}
