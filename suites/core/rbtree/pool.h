/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of one size, in blocks, with a free list. */
#ifndef POOL_H
#define POOL_H

#include <stddef.h>

struct pool_block;
struct pool_free;

struct pool {
    size_t size; /* of an object */
    struct pool_block *blocks;
    struct pool_free *unused;
    size_t left; /* objects left in the first block */
};

void pool_init(struct pool *pool, size_t size);
void *pool_take(struct pool *pool); /* running out of memory ends the program */
void pool_give(struct pool *pool, void *object);
void pool_destroy(struct pool *pool);

#endif
