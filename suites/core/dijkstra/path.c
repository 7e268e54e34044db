/* SPDX-License-Identifier: Apache-2.0 */
/* Dijkstra's algorithm. */
#include "path.h"

#include "heap.h"

int shortest_paths(const struct graph *graph, uint32_t source, uint64_t *distance, uint32_t *previous)
{
    struct heap heap;

    if (heap_init(&heap, graph->nodes) != 0)
        return -1;
    for (uint32_t n = 0; n < graph->nodes; n++) {
        distance[n] = UNREACHED;
        previous[n] = NO_NODE;
    }
    distance[source] = 0;
    heap_lower(&heap, source, 0);
    while (heap.count > 0) {
        struct heap_item item = heap_pop(&heap);
        for (size_t e = graph->first[item.node]; e < graph->first[item.node + 1]; e++) {
            const struct edge *edge = &graph->edges[e];
            uint64_t through = item.key + edge->weight;
            if (through < distance[edge->to]) {
                distance[edge->to] = through;
                previous[edge->to] = item.node;
                heap_lower(&heap, edge->to, through);
            }
        }
    }
    heap_free(&heap);
    return 0;
}
