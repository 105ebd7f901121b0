/*-------------------------------------------------------------------------
 *
 * nsdrain.c
 *	  A slab of a namespace that begins to drain and ceases to, again and
 *	  again, while another process uses an object in it.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

#include "miscadmin.h"

PG_FUNCTION_INFO_V1(jemctx_test_ns_thin);
PG_FUNCTION_INFO_V1(jemctx_test_ns_waver);
PG_FUNCTION_INFO_V1(jemctx_test_ns_look);

#define SIZE 64
#define PAGE 4096
#define PER_SLAB (PAGE / SIZE)
#define SLABS 32
#define OBJECTS (SLABS * PER_SLAB)

/* A slab with fewer objects than these drains, if there is as much room in others. */
#define FEW 14

/* Objects that are allocated and freed together: more than a process keeps. */
#define TOGETHER 300

static uintptr_t
page_of(void *object)
{
	return (uintptr_t) object / PAGE;
}

/*
 * Free most of many objects: one is left in each slab, and a few in the one
 * that is the fullest so.  Returns the address of one of the few.
 */
Datum
jemctx_test_ns_thin(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);
	void	   *objects[OBJECTS];
	uintptr_t	fullest;
	uintptr_t	last = 0;
	void	   *kept[FEW];
	int			few = 0;

	for (int i = 0; i < OBJECTS; i++)
		objects[i] = jemctx_namespace_allocate(ns, SIZE, 0);
	check(jemctx_namespace_usable_size(ns, objects[0]) == SIZE);
	fullest = page_of(objects[OBJECTS / 2]);
	for (int i = 0; i < OBJECTS; i++)
	{
		uintptr_t	page = page_of(objects[i]);

		if (page == fullest && few < FEW)
			kept[few++] = objects[i];
		else if (page == fullest || page == last)
			jemctx_namespace_free(ns, objects[i]);
		last = page;
	}
	check(few == FEW);
	PG_RETURN_INT64((int64) kept[0]);
}

/* Take objects of the fullest slab, and give them back, until it is cancelled. */
Datum
jemctx_test_ns_waver(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);
	void	   *objects[TOGETHER];

	for (;;)
	{
		for (int i = 0; i < TOGETHER; i++)
			objects[i] = jemctx_namespace_allocate(ns, SIZE, 0);
		for (int i = 0; i < TOGETHER; i++)
			jemctx_namespace_free(ns, objects[i]);
		CHECK_FOR_INTERRUPTS();
	}
	PG_RETURN_VOID();
}

/* Look so many times at an object in use, which nobody frees: it is always one. */
Datum
jemctx_test_ns_look(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);
	void	   *object = (void *) PG_GETARG_INT64(1);
	int32		times = PG_GETARG_INT32(2);

	for (int i = 0; i < times; i++)
	{
		check(jemctx_namespace_usable_size(ns, object) == SIZE);
		if (i % 1000 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	PG_RETURN_INT32(times);
}
