/* SPDX-License-Identifier: Apache-2.0 */
/* Hash chains: finds earlier occurrences of the bytes at a position. */
#ifndef MATCH_H
#define MATCH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_BITS 15
#define HASH_SIZE (1 << HASH_BITS)
#define CHAIN_SIZE 65536

struct finder {
    const uint8_t *data;
    size_t size;
    int max_steps;
    uint32_t head[HASH_SIZE];   /* position + 1; 0: none */
    uint32_t chain[CHAIN_SIZE]; /* previous position + 1 with the same hash */
};

struct match {
    size_t length; /* 0: none */
    size_t distance;
};

struct finder *finder_new(const uint8_t *data, size_t size, int max_steps);
void finder_free(struct finder *finder);
void finder_insert(struct finder *finder, size_t at);
struct match finder_find(const struct finder *finder, size_t at);

#endif
