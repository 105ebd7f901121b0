/*-------------------------------------------------------------------------
 *
 * namespaces.h
 *	  Rows about namespaces in the views of other things.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_VIEWS_NAMESPACES_H
#define JEMCTX_VIEWS_NAMESPACES_H

#include "views/row.h"

/* In jemctx_bins: the size classes in use of all namespaces, if the user may see them. */
extern void namespace_bin_rows(Row *row);

#endif							/* JEMCTX_VIEWS_NAMESPACES_H */
