/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is given back all at once. */
#ifndef ARENA_H
#define ARENA_H

#include <stddef.h>

struct chunk;

struct arena {
    struct chunk *chunks;
    size_t used; /* bytes of the first chunk */
};

void *arena_alloc(struct arena *arena, size_t size);
void arena_free(struct arena *arena);

#endif
