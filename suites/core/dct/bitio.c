/* SPDX-License-Identifier: Apache-2.0 */
/* Bit streams in memory, most significant bit first. */
#include "bitio.h"

#include <stdlib.h>
#include <string.h>

void bit_writer_init(struct bit_writer *writer)
{
    memset(writer, 0, sizeof *writer);
}

static void put_byte(struct bit_writer *writer, uint8_t byte)
{
    if (writer->size == writer->capacity) {
        size_t capacity = writer->capacity ? 2 * writer->capacity : 4096;
        uint8_t *bytes = realloc(writer->bytes, capacity);
        if (!bytes) {
            writer->failed = 1;
            return;
        }
        writer->bytes = bytes;
        writer->capacity = capacity;
    }
    writer->bytes[writer->size++] = byte;
}

void bit_write(struct bit_writer *writer, uint32_t value, int bits)
{
    writer->pending = writer->pending << bits | (value & ((1u << bits) - 1));
    writer->pending_bits += bits;
    while (writer->pending_bits >= 8) {
        writer->pending_bits -= 8;
        put_byte(writer, (uint8_t)(writer->pending >> writer->pending_bits));
    }
}

void bit_flush(struct bit_writer *writer)
{
    if (writer->pending_bits > 0)
        bit_write(writer, 0, 8 - writer->pending_bits);
}

void bit_reader_init(struct bit_reader *reader, const uint8_t *bytes, size_t size)
{
    memset(reader, 0, sizeof *reader);
    reader->bytes = bytes;
    reader->size = size;
}

uint32_t bit_read(struct bit_reader *reader, int bits)
{
    while (reader->pending_bits < bits) {
        uint8_t byte = reader->at < reader->size ? reader->bytes[reader->at++] : 0;
        reader->pending = reader->pending << 8 | byte;
        reader->pending_bits += 8;
    }
    reader->pending_bits -= bits;
    return reader->pending >> reader->pending_bits & ((1u << bits) - 1);
}

int bit_read_one(struct bit_reader *reader)
{
    return (int)bit_read(reader, 1);
}
