/*-------------------------------------------------------------------------
 *
 * pages.h
 *	  Which pages of the region are free, for the keeper.
 *
 * A page is taken, or free and clean, or free and unclean: there is memory
 * behind it still, to be removed, with its neighbours, when there is time.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_PAGES_H
#define JEMCTX_PAGES_H

#include "postgres.h"

typedef struct PageRun
{
	Size		page;
	Size		pages;
	Size		clean;			/* of them, that take no memory yet */
} PageRun;

extern bool pages_open(void);
extern bool pages_find_low(Size unit, Size most, PageRun *run);
extern bool pages_find_high(Size pages, PageRun *run);
extern void pages_shorten(PageRun *run, Size pages);
extern void pages_take(const PageRun *run);
extern void pages_release(Size page, Size pages);
extern Size pages_unclean(void);
extern Size pages_remove(void);

#endif							/* JEMCTX_PAGES_H */
