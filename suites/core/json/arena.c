/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is given back all at once. */
#include "arena.h"

#include <stdalign.h>
#include <stdlib.h>

#define CHUNK_SIZE (64 * 1024)

struct chunk {
    struct chunk *next;
    size_t size;
    alignas(max_align_t) char bytes[];
};

static int add_chunk(struct arena *arena, size_t size)
{
    if (size < CHUNK_SIZE)
        size = CHUNK_SIZE;
    struct chunk *chunk = malloc(sizeof *chunk + size);
    if (!chunk)
        return -1;
    chunk->next = arena->chunks;
    chunk->size = size;
    arena->chunks = chunk;
    arena->used = 0;
    return 0;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if ((!arena->chunks || arena->chunks->size - arena->used < size) && add_chunk(arena, size) != 0)
        return NULL;
    void *memory = arena->chunks->bytes + arena->used;
    arena->used += size;
    return memory;
}

void arena_free(struct arena *arena)
{
    while (arena->chunks) {
        struct chunk *next = arena->chunks->next;
        free(arena->chunks);
        arena->chunks = next;
    }
    arena->used = 0;
}
