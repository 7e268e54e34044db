/* SPDX-License-Identifier: Apache-2.0 */
/* Shift-And: one bit per pattern position, at most 64. */
#include <stdint.h>

#include "search.h"

struct hits search_shift_and(const char *text, size_t size, const char *pattern, size_t length)
{
    struct hits hits = {0, 0};
    uint64_t mask[256] = {0};
    uint64_t state = 0, accept = (uint64_t)1 << (length - 1);

    for (size_t i = 0; i < length; i++)
        mask[(unsigned char)pattern[i]] |= (uint64_t)1 << i;
    for (size_t at = 0; at < size; at++) {
        state = (state << 1 | 1) & mask[(unsigned char)text[at]];
        if (state & accept) {
            hits.count++;
            hits.last = at + 1 - length;
        }
    }
    return hits;
}
