/* SPDX-License-Identifier: Apache-2.0 */
/* Bit streams in memory, most significant bit first. */
#ifndef BITIO_H
#define BITIO_H

#include <stddef.h>
#include <stdint.h>

struct bit_writer {
    uint8_t *bytes;
    size_t size;
    size_t capacity;
    uint32_t pending; /* bits not yet written, right-aligned */
    int pending_bits;
    int failed; /* out of memory */
};

struct bit_reader {
    const uint8_t *bytes;
    size_t size;
    size_t at;
    uint32_t pending;
    int pending_bits;
};

void bit_writer_init(struct bit_writer *writer);
void bit_write(struct bit_writer *writer, uint32_t value, int bits); /* bits <= 16 */
void bit_flush(struct bit_writer *writer);

/* Past the end zeros are read. */
void bit_reader_init(struct bit_reader *reader, const uint8_t *bytes, size_t size);
uint32_t bit_read(struct bit_reader *reader, int bits); /* bits <= 16 */
int bit_read_one(struct bit_reader *reader);

#endif
