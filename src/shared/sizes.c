/*-------------------------------------------------------------------------
 *
 * sizes.c
 *	  Size classes of small objects, and the slabs they are cut from.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "shared/sizes.h"

/* A single page is used if it wastes no more than this part of it. */
#define TOLERABLE_WASTE 20

/* The most bytes of a class that a process keeps. */
#define CACHE_BYTES 16384
#define CACHE_LEAST 2

static const uint16 sizes[SIZES_COUNT] = {
	16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256,
	272, 288, 304, 336, 368, 400, 448, 480, 512, 576, 640, 672, 720, 768, 816,
	864, 944, 1024, 1104, 1216, 1360, 1536, 1744, 2048, 2448, 3072, 4096, 6144,
	8192, SIZES_LARGEST
};

SizeClass	size_classes[UINT8_MAX + 1];
uint8		size_class_table[SIZES_LARGEST / SIZES_GRAIN + 1];

/* By the size of its objects, all else about a class. */
static void
define_class(SizeClass *class, uint32 size)
{
	bool		fits_page = size <= SIZES_PAGE && SIZES_PAGE % size * TOLERABLE_WASTE <= SIZES_PAGE;

	class->size = size;
	class->reciprocal = (uint32) (((UINT64CONST(1) << 32) + size - 1) / size);
	class->kind = fits_page ? SLAB_ONE_PAGE : SLAB_THREE_PAGES;
	class->capacity = slab_bytes(class->kind) / size;
	class->end = class->capacity * size;
	class->cache = Max(CACHE_LEAST, Min(SIZES_CACHE, CACHE_BYTES / size));
}

void
sizes_enter(void)
{
	uint32		next = 0;

	for (int i = 0; i < SIZES_COUNT; i++)
	{
		define_class(&size_classes[i], sizes[i]);
		while (next <= sizes[i] / SIZES_GRAIN)
			size_class_table[next++] = i;
	}
}
