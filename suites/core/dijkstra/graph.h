/* SPDX-License-Identifier: Apache-2.0 */
/* Directed graphs with weighted edges, stored as one array of edges sorted by source. */
#ifndef GRAPH_H
#define GRAPH_H

#include <stddef.h>
#include <stdint.h>

struct edge {
    uint32_t from;
    uint32_t to;
    uint32_t weight;
};

struct graph {
    uint32_t nodes;
    size_t edge_count;
    size_t *first; /* nodes + 1 entries: where the edges of a node start */
    struct edge *edges;
};

/* A grid with random weights and some long shortcuts; NULL when out of memory. */
struct graph *graph_random(uint32_t width, uint32_t height, uint32_t seed);
void graph_free(struct graph *graph);

#endif
