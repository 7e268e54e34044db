/* SPDX-License-Identifier: Apache-2.0 */
/* A binary min-heap of nodes with keys that can be lowered; equal keys are ordered by node. */
#include "heap.h"

#include <stdlib.h>

int heap_init(struct heap *heap, uint32_t nodes)
{
    heap->items = malloc(nodes * sizeof *heap->items);
    heap->place = calloc(nodes, sizeof *heap->place);
    heap->count = 0;
    if (heap->items && heap->place)
        return 0;
    heap_free(heap);
    return -1;
}

void heap_free(struct heap *heap)
{
    free(heap->items);
    free(heap->place);
}

static int before(struct heap_item a, struct heap_item b)
{
    return a.key < b.key || (a.key == b.key && a.node < b.node);
}

static void put(struct heap *heap, uint32_t index, struct heap_item item)
{
    heap->items[index] = item;
    heap->place[item.node] = index + 1;
}

static void sift_up(struct heap *heap, uint32_t index, struct heap_item item)
{
    while (index > 0) {
        uint32_t parent = (index - 1) / 2;
        if (!before(item, heap->items[parent]))
            break;
        put(heap, index, heap->items[parent]);
        index = parent;
    }
    put(heap, index, item);
}

static void sift_down(struct heap *heap, uint32_t index, struct heap_item item)
{
    for (;;) {
        uint32_t child = 2 * index + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && before(heap->items[child + 1], heap->items[child]))
            child++;
        if (!before(heap->items[child], item))
            break;
        put(heap, index, heap->items[child]);
        index = child;
    }
    put(heap, index, item);
}

void heap_lower(struct heap *heap, uint32_t node, uint64_t key)
{
    struct heap_item item = {key, node};
    uint32_t place = heap->place[node];
    sift_up(heap, place ? place - 1 : heap->count++, item);
}

struct heap_item heap_pop(struct heap *heap)
{
    struct heap_item top = heap->items[0];
    struct heap_item last = heap->items[--heap->count];

    heap->place[top.node] = 0;
    if (heap->count > 0)
        sift_down(heap, 0, last);
    return top;
}
