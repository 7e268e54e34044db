/* SPDX-License-Identifier: Apache-2.0 */
/* Variable-length integers, seven bits per byte, low first. */
#ifndef VARINT_H
#define VARINT_H

#include <stddef.h>
#include <stdint.h>

uint8_t *varint_put(uint8_t *out, size_t value);
/* Returns the position after it, or NULL if the input ends too early. */
const uint8_t *varint_get(const uint8_t *in, const uint8_t *end, size_t *value);

#endif
