/* SPDX-License-Identifier: Apache-2.0 */
/* Variable-length integers, seven bits per byte, low first. */
#include "varint.h"

uint8_t *varint_put(uint8_t *out, size_t value)
{
    while (value >= 128) {
        *out++ = (uint8_t)(value | 128);
        value >>= 7;
    }
    *out++ = (uint8_t)value;
    return out;
}

const uint8_t *varint_get(const uint8_t *in, const uint8_t *end, size_t *value)
{
    size_t result = 0;
    for (int shift = 0; in < end && shift < 63; shift += 7) {
        uint8_t byte = *in++;
        result |= (size_t)(byte & 127) << shift;
        if (byte < 128) {
            *value = result;
            return in;
        }
    }
    return NULL;
}
