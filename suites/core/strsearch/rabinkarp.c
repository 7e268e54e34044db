/* SPDX-License-Identifier: Apache-2.0 */
/* Rabin and Karp: a rolling hash, checked letter by letter when it agrees. */
#include <stdint.h>
#include <string.h>

#include "search.h"

#define BASE 257u
#define PRIME 1000003u

static uint32_t hash(const char *text, size_t length)
{
    uint32_t h = 0;
    for (size_t i = 0; i < length; i++)
        h = (h * BASE + (unsigned char)text[i]) % PRIME;
    return h;
}

struct hits search_rabin_karp(const char *text, size_t size, const char *pattern, size_t length)
{
    struct hits hits = {0, 0};
    uint32_t top = 1; /* BASE^(length - 1) */

    if (size < length)
        return hits;
    for (size_t i = 1; i < length; i++)
        top = top * BASE % PRIME;
    uint32_t wanted = hash(pattern, length), window = hash(text, length);
    for (size_t at = 0;; at++) {
        if (window == wanted && memcmp(text + at, pattern, length) == 0) {
            hits.count++;
            hits.last = at;
        }
        if (at + length >= size)
            break;
        uint32_t leaving = (uint32_t)((uint64_t)top * (unsigned char)text[at] % PRIME);
        window = ((window + PRIME - leaving) * BASE + (unsigned char)text[at + length]) % PRIME;
    }
    return hits;
}
