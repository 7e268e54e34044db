/* SPDX-License-Identifier: Apache-2.0 */
/* LZ compressor: hash-chain matches with one step of lazy evaluation. */
#include <string.h>

#include "lz.h"
#include "match.h"
#include "varint.h"

size_t lz_bound(size_t size)
{
    return size + size / 64 + 32;
}

static uint8_t *put_token(uint8_t *out, const uint8_t *literals, size_t count, struct match match)
{
    size_t extra = match.length ? match.length - LZ_MIN_MATCH : 0;
    size_t high = count < 15 ? count : 15;
    size_t low = extra < 15 ? extra : 15;

    *out++ = (uint8_t)(high << 4 | low);
    if (high == 15)
        out = varint_put(out, count - 15);
    memcpy(out, literals, count);
    out += count;
    if (match.length) {
        *out++ = (uint8_t)match.distance;
        *out++ = (uint8_t)(match.distance >> 8);
        if (low == 15)
            out = varint_put(out, extra - 15);
    }
    return out;
}

size_t lz_compress(const uint8_t *in, size_t size, uint8_t *out, int level)
{
    struct finder *finder = finder_new(in, size, 1 << level);
    uint8_t *start = out;
    size_t literals = 0; /* start of the pending literals */
    size_t at = 0;

    if (!finder)
        return 0;
    out = varint_put(out, size);
    while (at < size) {
        struct match match = finder_find(finder, at);
        finder_insert(finder, at);
        if (match.length < LZ_MIN_MATCH) {
            at++;
            continue;
        }
        if (level > 3 && at + 1 < size) { /* would waiting for one byte pay? */
            struct match later = finder_find(finder, at + 1);
            if (later.length > match.length + 1) {
                at++;
                finder_insert(finder, at);
                match = later;
            }
        }
        out = put_token(out, in + literals, at - literals, match);
        for (size_t i = 1; i < match.length; i++)
            finder_insert(finder, at + i);
        at += match.length;
        literals = at;
    }
    out = put_token(out, in + literals, size - literals, (struct match){0, 0});
    finder_free(finder);
    return (size_t)(out - start);
}
