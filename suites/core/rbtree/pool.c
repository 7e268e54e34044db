/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of one size, in blocks, with a free list. */
#include "pool.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

#define PER_BLOCK 512

struct pool_block {
    struct pool_block *next;
    alignas(max_align_t) char bytes[];
};

struct pool_free {
    struct pool_free *next;
};

void pool_init(struct pool *pool, size_t size)
{
    if (size < sizeof(struct pool_free))
        size = sizeof(struct pool_free);
    size = (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    *pool = (struct pool){.size = size};
}

void *pool_take(struct pool *pool)
{
    if (pool->unused) {
        struct pool_free *object = pool->unused;
        pool->unused = object->next;
        return object;
    }
    if (pool->left == 0) {
        struct pool_block *block = malloc(sizeof *block + PER_BLOCK * pool->size);
        if (!block) {
            fprintf(stderr, "pool: out of memory\n");
            exit(1);
        }
        block->next = pool->blocks;
        pool->blocks = block;
        pool->left = PER_BLOCK;
    }
    return pool->blocks->bytes + --pool->left * pool->size;
}

void pool_give(struct pool *pool, void *object)
{
    struct pool_free *head = object;
    head->next = pool->unused;
    pool->unused = head;
}

void pool_destroy(struct pool *pool)
{
    while (pool->blocks) {
        struct pool_block *next = pool->blocks->next;
        free(pool->blocks);
        pool->blocks = next;
    }
    pool->unused = NULL;
    pool->left = 0;
}
