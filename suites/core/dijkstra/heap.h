/* SPDX-License-Identifier: Apache-2.0 */
/* A binary min-heap of nodes with keys that can be lowered. */
#ifndef HEAP_H
#define HEAP_H

#include <stdint.h>

struct heap_item {
    uint64_t key;
    uint32_t node;
};

struct heap {
    struct heap_item *items;
    uint32_t *place; /* node -> index + 1 in items; 0: not in the heap */
    uint32_t count;
};

int heap_init(struct heap *heap, uint32_t nodes);
void heap_free(struct heap *heap);
/* Inserts the node, or lowers its key. */
void heap_lower(struct heap *heap, uint32_t node, uint64_t key);
/* The heap must not be empty. */
struct heap_item heap_pop(struct heap *heap);

#endif
