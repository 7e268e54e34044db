/* SPDX-License-Identifier: Apache-2.0 */
/* Hash chains: finds earlier occurrences of the bytes at a position. */
#include "match.h"

#include <stdlib.h>
#include <string.h>

#include "lz.h"

static uint32_t load32(const uint8_t *p)
{
    uint32_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

/* From single bytes, so that the compressed stream does not depend on the byte order. */
static uint32_t hash4(const uint8_t *p)
{
    uint32_t x = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    return x * 2654435761u >> (32 - HASH_BITS);
}

struct finder *finder_new(const uint8_t *data, size_t size, int max_steps)
{
    struct finder *finder = calloc(1, sizeof *finder);
    if (finder) {
        finder->data = data;
        finder->size = size;
        finder->max_steps = max_steps;
    }
    return finder;
}

void finder_free(struct finder *finder)
{
    free(finder);
}

void finder_insert(struct finder *finder, size_t at)
{
    if (at + LZ_MIN_MATCH > finder->size)
        return;
    uint32_t hash = hash4(finder->data + at);
    finder->chain[at % CHAIN_SIZE] = finder->head[hash];
    finder->head[hash] = (uint32_t)at + 1;
}

static size_t common_length(const uint8_t *a, const uint8_t *b, size_t limit)
{
    size_t n = 0;
    while (n < limit && a[n] == b[n])
        n++;
    return n;
}

struct match finder_find(const struct finder *finder, size_t at)
{
    struct match best = {0, 0};
    size_t limit = finder->size - at;

    if (limit < LZ_MIN_MATCH)
        return best;
    const uint8_t *here = finder->data + at;
    uint32_t candidate = finder->head[hash4(here)];
    for (int steps = finder->max_steps; candidate && steps > 0; steps--) {
        size_t position = candidate - 1;
        size_t distance = at - position;
        if (distance > LZ_WINDOW)
            break;
        const uint8_t *there = finder->data + position;
        if (load32(there) == load32(here) && (best.length == limit || there[best.length] == here[best.length])) {
            size_t length = common_length(there, here, limit);
            if (length > best.length) {
                best.length = length;
                best.distance = distance;
                if (length == limit)
                    break;
            }
        }
        candidate = finder->chain[position % CHAIN_SIZE];
    }
    return best;
}
