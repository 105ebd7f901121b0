/*-------------------------------------------------------------------------
 *
 * peers.c
 *	  The namespace and the area of dsa that the works are done in.
 *
 *-------------------------------------------------------------------------
 */
#include "sharing.h"

#include "storage/lwlock.h"
#include "utils/memutils.h"

#include "major.h"

#define COMMON_NAME "sharing common"
#define BENCH_NAME "sharing"
#define TRANCHE_NAME "jemctx_sharing"

JemctxNamespace *bench_namespace;
MemoryContext bench_context;
dsa_area   *bench_area;

/* The generation that this process has open. */
static uint32 opened;

static Common *
find_common(void)
{
	JemctxNamespace *ns = jemctx_namespace_find(COMMON_NAME, true);

	if (ns == NULL)
	{
		ns = jemctx_namespace_create(COMMON_NAME, 0);
		jemctx_namespace_set_root(ns, jemctx_namespace_allocate(ns, sizeof(Common),
																MCXT_ALLOC_ZERO));
	}
	return jemctx_namespace_root(ns);
}

/* Use an area from now on, which lies in TopMemoryContext, as it must to stay. */
static void
use_area(dsa_area *area)
{
	if (bench_area)
		dsa_detach(bench_area);
	dsa_pin_mapping(area);
	bench_area = area;
}

static void
use_namespace(void)
{
	bench_namespace = jemctx_namespace_find(BENCH_NAME, false);
	bench_context = jemctx_namespace_context(bench_namespace);
}

/* Open what the last session to make them has made. */
Common *
peers_open(void)
{
	Common	   *common = find_common();
	MemoryContext old;

	if (common->generation == 0)
		elog(ERROR, "call jemctx_sharing_fresh() first");
	if (opened == common->generation)
		return common;
	major_register_tranche(common->tranche, TRANCHE_NAME);
	old = MemoryContextSwitchTo(TopMemoryContext);
	use_area(dsa_attach(common->area));
	MemoryContextSwitchTo(old);
	use_namespace();
	opened = common->generation;
	return common;
}

/* End what there was. */
static void
end_peers(void)
{
	peers_open();
	jemctx_namespace_drop(BENCH_NAME);
	dsa_unpin(bench_area);
}

void
peers_fresh(Size size_limit)
{
	Common	   *common = find_common();
	MemoryContext old;

	if (common->generation > 0)
		end_peers();
	else
		common->tranche = major_new_tranche(TRANCHE_NAME);
	major_register_tranche(common->tranche, TRANCHE_NAME);
	old = MemoryContextSwitchTo(TopMemoryContext);
	use_area(dsa_create(common->tranche));
	MemoryContextSwitchTo(old);
	dsa_pin(bench_area);
	common->area = dsa_get_handle(bench_area);
	jemctx_namespace_create(BENCH_NAME, size_limit);
	use_namespace();
	opened = ++common->generation;
}
