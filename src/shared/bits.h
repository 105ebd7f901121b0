/*-------------------------------------------------------------------------
 *
 * bits.h
 *	  Bitmaps in words of 64 bits.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_BITS_H
#define JEMCTX_BITS_H

#include "postgres.h"

#include "port/pg_bitutils.h"

#define WORD_BITS 64
#define ALL_BITS (~UINT64CONST(0))

/* How many words have that many bits. */
#define WORDS_FOR(bits) (((bits) + WORD_BITS - 1) / WORD_BITS)

/* In the word n / WORD_BITS: the bit n of a bitmap, and that with all after it. */
#define BIT_OF(n) (UINT64CONST(1) << (n) % WORD_BITS)
#define BITS_FROM(n) (ALL_BITS << (n) % WORD_BITS)

/*
 * Bits of the word that are set.  PostgreSQL's function is a variable or not as
 * the server was configured, which its headers need not know.
 */
static inline int
count_bits(uint64 word)
{
	return __builtin_popcountll(word);
}

#endif							/* JEMCTX_BITS_H */
