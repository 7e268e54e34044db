/* SPDX-License-Identifier: Apache-2.0 */
/* Graph storage and a generator of road-like graphs. */
#include "graph.h"

#include <stdlib.h>

static uint32_t next_random(uint32_t *state)
{
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

/* Counting sort of the edges by source. */
static int index_edges(struct graph *graph, const struct edge *list)
{
    graph->first = calloc(graph->nodes + 2, sizeof *graph->first);
    graph->edges = malloc(graph->edge_count * sizeof *graph->edges);
    if (!graph->first || !graph->edges)
        return -1;
    size_t *next = graph->first + 1;
    for (size_t i = 0; i < graph->edge_count; i++)
        next[list[i].from + 1]++;
    for (uint32_t n = 0; n < graph->nodes; n++)
        next[n + 1] += next[n];
    for (size_t i = 0; i < graph->edge_count; i++)
        graph->edges[next[list[i].from]++] = list[i];
    return 0;
}

static struct edge *add_both(struct edge *out, uint32_t a, uint32_t b, uint32_t weight, uint32_t back)
{
    *out++ = (struct edge){a, b, weight};
    *out++ = (struct edge){b, a, back};
    return out;
}

struct graph *graph_random(uint32_t width, uint32_t height, uint32_t seed)
{
    uint32_t random = seed * 2654435761u | 1;
    uint32_t nodes = width * height;
    size_t limit = (size_t)nodes * 5;
    struct graph *graph = calloc(1, sizeof *graph);
    struct edge *list = malloc(limit * sizeof *list);
    struct edge *end = list;

    if (!graph || !list) {
        free(graph);
        free(list);
        return NULL;
    }
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++) {
            uint32_t node = y * width + x;
            uint32_t slow = 1 + next_random(&random) % 100;
            if (x + 1 < width)
                end = add_both(end, node, node + 1, slow, slow + next_random(&random) % 20);
            if (y + 1 < height)
                end = add_both(end, node, node + width, slow + next_random(&random) % 50, slow);
            if (next_random(&random) % 16 == 0)
                *end++ = (struct edge){node, next_random(&random) % nodes, 500 + next_random(&random) % 3000};
        }
    }
    graph->nodes = nodes;
    graph->edge_count = (size_t)(end - list);
    if (index_edges(graph, list) != 0) {
        graph_free(graph);
        graph = NULL;
    }
    free(list);
    return graph;
}

void graph_free(struct graph *graph)
{
    free(graph->first);
    free(graph->edges);
    free(graph);
}
