/*-------------------------------------------------------------------------
 *
 * mutate.c
 *	  How libFuzzer makes new streams of operations out of old ones.
 *
 * By itself it would insert and remove bytes, so that all operations behind
 * them became others.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "board.h"

typedef uint8_t Bytes[OP_BYTES];

size_t		LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t		LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size, const uint8_t *other,
									  size_t other_size,
									  uint8_t *out, size_t max_size, unsigned int seed);
size_t		LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* From 0 to limit, without it; 0 if that is nothing. */
static size_t
any(size_t limit)
{
	return limit > 0 ? (size_t) random() % limit : 0;
}

/* Insert a copy of another operation, or a new one. */
static size_t
insert(Bytes *ops, size_t count)
{
	size_t		at = any(count + 1);
	Bytes		bytes = {random(), random(), random(), random()};

	if (count > 0 && any(2) == 0)
		memcpy(bytes, ops[any(count)], OP_BYTES);
	memmove(ops[at + 1], ops[at], (count - at) * OP_BYTES);
	memcpy(ops[at], bytes, OP_BYTES);
	return count + 1;
}

/* Remove some that follow each other. */
static size_t
take_out(Bytes *ops, size_t count)
{
	size_t		at = any(count);
	size_t		some = 1 + any(count - at) / 2;

	memmove(ops[at], ops[at + some], (count - at - some) * OP_BYTES);
	return count - some;
}

static void
change(Bytes *ops, size_t count)
{
	uint8_t    *op = ops[any(count)];

	if (any(2) == 0)
		op[any(OP_BYTES)] = random();
	else
		LLVMFuzzerMutate(op, OP_BYTES, OP_BYTES);
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	Bytes	   *ops = (Bytes *) data;
	size_t		count = size / OP_BYTES;
	size_t		most = max_size / OP_BYTES;

	srandom(seed);
	for (size_t changes = 1 + any(4); changes > 0; changes--)
	{
		size_t		what = any(4);

		if (count == 0 || (what == 0 && count < most))
			count = insert(ops, count);
		else if (what == 1 && count > 1)
			count = take_out(ops, count);
		else
			change(ops, count);
	}
	return count * OP_BYTES;
}

/* The beginning of one and the end of the other. */
size_t
LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size, const uint8_t *other,
						  size_t other_size,
						  uint8_t *out, size_t max_size, unsigned int seed)
{
	size_t		head;
	size_t		tail;

	srandom(seed);
	head = any(one_size / OP_BYTES + 1) * OP_BYTES;
	tail = any(other_size / OP_BYTES + 1) * OP_BYTES;
	if (head > max_size)
		head = max_size / OP_BYTES * OP_BYTES;
	if (tail > max_size - head)
		tail = (max_size - head) / OP_BYTES * OP_BYTES;
	memcpy(out, one, head);
	memcpy(out + head, other + other_size / OP_BYTES * OP_BYTES - tail, tail);
	return head + tail;
}
