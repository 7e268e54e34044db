/* SPDX-License-Identifier: Apache-2.0 */
/* LZ expander: checks every length and distance. */
#include <string.h>

#include "lz.h"
#include "varint.h"

#define BAD ((size_t)-1)

size_t lz_expanded_size(const uint8_t *in, size_t size)
{
    size_t value = 0;
    return varint_get(in, in + size, &value) ? value : 0;
}

/* Byte by byte, since source and destination may overlap. */
static void copy_match(uint8_t *to, size_t distance, size_t length)
{
    const uint8_t *from = to - distance;
    while (length-- > 0)
        *to++ = *from++;
}

size_t lz_expand(const uint8_t *in, size_t size, uint8_t *out, size_t capacity)
{
    const uint8_t *end = in + size;
    size_t expected, written = 0;

    in = varint_get(in, end, &expected);
    if (!in || expected > capacity)
        return BAD;
    while (in < end) {
        uint8_t token = *in++;
        size_t literals = token >> 4, length = token & 15, more = 0;

        if (literals == 15) {
            if (!(in = varint_get(in, end, &more)))
                return BAD;
            literals += more;
        }
        if (literals > (size_t)(end - in) || literals > expected - written)
            return BAD;
        memcpy(out + written, in, literals);
        in += literals;
        written += literals;
        if (written == expected)
            break;

        if (end - in < 2)
            return BAD;
        size_t distance = in[0] | (size_t)in[1] << 8;
        in += 2;
        if (length == 15) {
            if (!(in = varint_get(in, end, &more)))
                return BAD;
            length += more;
        }
        length += LZ_MIN_MATCH;
        if (distance == 0 || distance > written || length > expected - written)
            return BAD;
        copy_match(out + written, distance, length);
        written += length;
    }
    return written == expected ? written : BAD;
}
