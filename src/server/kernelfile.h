/*-------------------------------------------------------------------------
 *
 * kernelfile.h
 *	  Small files in which the kernel tells figures.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_KERNELFILE_H
#define JEMCTX_KERNELFILE_H

#include "postgres.h"

/* Enough for any of them. */
#define KERNELFILE_BYTES 8192

extern bool kernelfile_read(const char *path, char *text, Size size);
extern Size kernelfile_number(const char *text, const char *word, Size missing);

#endif							/* JEMCTX_KERNELFILE_H */
