/* SPDX-License-Identifier: Apache-2.0 */
/* Shortest paths from one node to all. */
#ifndef PATH_H
#define PATH_H

#include "graph.h"

#define UNREACHED UINT64_MAX
#define NO_NODE UINT32_MAX

/* Fills in distance and previous node of every node; returns 0, or -1 when out of memory. */
int shortest_paths(const struct graph *graph, uint32_t source, uint64_t *distance, uint32_t *previous);

#endif
