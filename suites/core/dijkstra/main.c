/* SPDX-License-Identifier: Apache-2.0 */
/* Shortest paths from several nodes of a random road net: dijkstra SEED WIDTH HEIGHT SOURCES */
#include <stdio.h>
#include <stdlib.h>

#include "path.h"

static uint32_t path_length(const uint32_t *previous, uint32_t node)
{
    uint32_t steps = 0;
    for (; previous[node] != NO_NODE; node = previous[node])
        steps++;
    return steps;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: dijkstra SEED WIDTH HEIGHT SOURCES\n");
        return 2;
    }
    uint32_t seed = (uint32_t)strtoul(argv[1], NULL, 10);
    uint32_t width = (uint32_t)strtoul(argv[2], NULL, 10);
    uint32_t height = (uint32_t)strtoul(argv[3], NULL, 10);
    uint32_t sources = (uint32_t)strtoul(argv[4], NULL, 10);
    struct graph *graph = graph_random(width, height, seed);
    uint32_t nodes = width * height;
    uint64_t *distance = malloc(nodes * sizeof *distance);
    uint32_t *previous = malloc(nodes * sizeof *previous);
    if (!graph || !distance || !previous) {
        fprintf(stderr, "dijkstra: out of memory\n");
        return 1;
    }
    printf("nodes %u edges %zu\n", graph->nodes, graph->edge_count);

    uint64_t checksum = 0;
    for (uint32_t s = 0; s < sources; s++) {
        uint32_t source = (uint32_t)((uint64_t)s * nodes / sources);
        if (shortest_paths(graph, source, distance, previous) != 0) {
            fprintf(stderr, "dijkstra: out of memory\n");
            return 1;
        }
        uint32_t farthest = source;
        uint64_t total = 0;
        for (uint32_t n = 0; n < nodes; n++) {
            if (distance[n] > distance[farthest])
                farthest = n;
            total += distance[n];
            checksum = checksum * 31 + distance[n];
        }
        if (s % 8 != 0)
            continue;
        printf("from %u: total %llu, farthest %u at %llu in %u steps\n", source, (unsigned long long)total,
               farthest, (unsigned long long)distance[farthest], path_length(previous, farthest));
    }
    printf("checksum %016llx\n", (unsigned long long)checksum);
    free(distance);
    free(previous);
    graph_free(graph);
    return 0;
}
