/* SPDX-License-Identifier: Apache-2.0 */
/* LZ77 compression with a hash-chain match finder and a byte-oriented format. */
#ifndef LZ_H
#define LZ_H

#include <stddef.h>
#include <stdint.h>

#define LZ_MIN_MATCH 4
#define LZ_WINDOW 65535

/*
 * Stream: varint size, then tokens. A token byte holds the literal count (high nibble) and the match
 * length - 4 (low nibble); 15 means that a varint with the rest follows. Then come the literals and
 * the match distance (two bytes, low first). The last token has literals only.
 */

/* Upper bound of the compressed size. */
size_t lz_bound(size_t size);

/* Level 1..9. Returns the compressed size, or 0 when out of memory. */
size_t lz_compress(const uint8_t *in, size_t size, uint8_t *out, int level);

/* Size that a stream expands to; 0 if it is empty or bad. */
size_t lz_expanded_size(const uint8_t *in, size_t size);

/* Returns the number of bytes written, or (size_t)-1 if the stream is bad. */
size_t lz_expand(const uint8_t *in, size_t size, uint8_t *out, size_t capacity);

#endif
