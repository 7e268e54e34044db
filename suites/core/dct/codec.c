/* SPDX-License-Identifier: Apache-2.0 */
/* The codec: blocks of coefficients, run lengths, and the two passes of the entropy coder. */
#include "codec.h"

#include <stdlib.h>
#include <string.h>

#include "bitio.h"
#include "dct.h"
#include "huff.h"
#include "quant.h"

#define END_OF_BLOCK 0x00
#define LONG_RUN 0xf0 /* 16 zeros */

/* Receives the symbols of a block: run << 4 | size, then size raw bits. */
struct sink {
    uint32_t *frequency;      /* first pass: count only */
    const struct huff *huff;  /* second pass */
    struct bit_writer *out;
};

static int magnitude_bits(int value)
{
    int bits = 0;
    for (value = abs(value); value; value >>= 1)
        bits++;
    return bits;
}

static void emit(struct sink *sink, int run, int value)
{
    int size = magnitude_bits(value);
    int symbol = run << 4 | size;

    if (sink->frequency) {
        sink->frequency[symbol]++;
        return;
    }
    huff_put(sink->huff, sink->out, symbol);
    if (size > 0)
        bit_write(sink->out, (uint32_t)(value < 0 ? value - 1 : value), size);
}

static void emit_block(struct sink *sink, const int16_t block[BLOCK_SIZE], int previous_dc)
{
    int run = 0;

    emit(sink, 0, block[0] - previous_dc);
    for (int i = 1; i < BLOCK_SIZE; i++) {
        if (block[i] == 0) {
            run++;
            continue;
        }
        for (; run >= 16; run -= 16)
            emit(sink, 15, 0);
        emit(sink, run, block[i]);
        run = 0;
    }
    if (run > 0)
        emit(sink, 0, 0);
}

static int read_value(struct bit_reader *in, int size)
{
    if (size == 0)
        return 0;
    int value = (int)bit_read(in, size);
    return value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
}

static int read_block(const struct huff *huff, struct bit_reader *in, int16_t block[BLOCK_SIZE],
                      int previous_dc)
{
    int symbol = huff_get(huff, in);
    if (symbol < 0 || symbol > 15)
        return -1;
    memset(block, 0, BLOCK_SIZE * sizeof *block);
    block[0] = (int16_t)(previous_dc + read_value(in, symbol));
    for (int i = 1; i < BLOCK_SIZE; i++) {
        symbol = huff_get(huff, in);
        if (symbol < 0)
            return -1;
        if (symbol == END_OF_BLOCK)
            break;
        if (symbol == LONG_RUN) {
            i += 15;
            continue;
        }
        i += symbol >> 4;
        if (i >= BLOCK_SIZE)
            return -1;
        block[i] = (int16_t)read_value(in, symbol & 15);
    }
    return 0;
}

/* Pixels outside the image repeat its border. */
static void load_block(const struct image *image, int left, int top, int16_t block[BLOCK_SIZE])
{
    for (int y = 0; y < BLOCK; y++) {
        int row = top + y < image->height ? top + y : image->height - 1;
        for (int x = 0; x < BLOCK; x++) {
            int column = left + x < image->width ? left + x : image->width - 1;
            block[y * BLOCK + x] = (int16_t)(image->pixels[(size_t)row * (size_t)image->width + (size_t)column] - 128);
        }
    }
}

static void store_block(struct image *image, int left, int top, const int16_t block[BLOCK_SIZE])
{
    for (int y = 0; y < BLOCK && top + y < image->height; y++) {
        uint8_t *row = image->pixels + (size_t)(top + y) * (size_t)image->width;
        for (int x = 0; x < BLOCK && left + x < image->width; x++) {
            int value = block[y * BLOCK + x] + 128;
            row[left + x] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
        }
    }
}

static size_t block_count(int width, int height)
{
    return (size_t)((width + BLOCK - 1) / BLOCK) * (size_t)((height + BLOCK - 1) / BLOCK);
}

static void transform(const struct image *image, const struct quant *quant, int16_t *blocks)
{
    int16_t pixels[BLOCK_SIZE], coefficients[BLOCK_SIZE];

    for (int y = 0; y < image->height; y += BLOCK) {
        for (int x = 0; x < image->width; x += BLOCK) {
            load_block(image, x, y, pixels);
            dct_forward(pixels, coefficients);
            quant_apply(quant, coefficients, blocks);
            blocks += BLOCK_SIZE;
        }
    }
}

static void emit_all(struct sink *sink, const int16_t *blocks, size_t count)
{
    int previous_dc = 0;
    for (size_t i = 0; i < count; i++) {
        emit_block(sink, blocks + i * BLOCK_SIZE, previous_dc);
        previous_dc = blocks[i * BLOCK_SIZE];
    }
}

int codec_encode(const struct image *image, int quality, struct stream *out)
{
    size_t count = block_count(image->width, image->height);
    int16_t *blocks = malloc(count * BLOCK_SIZE * sizeof *blocks);
    uint32_t frequency[HUFF_SYMBOLS] = {0};
    struct quant quant;
    struct huff huff;
    struct bit_writer writer;

    if (!blocks)
        return -1;
    quant_init(&quant, quality);
    transform(image, &quant, blocks);

    struct sink counter = {frequency, NULL, NULL};
    emit_all(&counter, blocks, count);
    huff_build(&huff, frequency);

    bit_writer_init(&writer);
    bit_write(&writer, (uint32_t)image->width, 16);
    bit_write(&writer, (uint32_t)image->height, 16);
    bit_write(&writer, (uint32_t)quality, 8);
    huff_write_table(&huff, &writer);
    struct sink coder = {NULL, &huff, &writer};
    emit_all(&coder, blocks, count);
    bit_flush(&writer);
    free(blocks);

    out->bytes = writer.bytes;
    out->size = writer.size;
    return writer.failed ? -1 : 0;
}

int codec_decode(const struct stream *in, struct image *image)
{
    struct bit_reader reader;
    struct quant quant;
    struct huff huff;
    int16_t block[BLOCK_SIZE], coefficients[BLOCK_SIZE], pixels[BLOCK_SIZE];
    int previous_dc = 0;

    bit_reader_init(&reader, in->bytes, in->size);
    int width = (int)bit_read(&reader, 16);
    int height = (int)bit_read(&reader, 16);
    int quality = (int)bit_read(&reader, 8);
    if (width == 0 || height == 0 || quality < 1 || quality > 100 || image_alloc(image, width, height) != 0)
        return -1;
    quant_init(&quant, quality);
    huff_read_table(&huff, &reader);
    for (int y = 0; y < height; y += BLOCK) {
        for (int x = 0; x < width; x += BLOCK) {
            if (read_block(&huff, &reader, block, previous_dc) != 0) {
                image_free(image);
                return -1;
            }
            previous_dc = block[0];
            quant_restore(&quant, block, coefficients);
            dct_inverse(coefficients, pixels);
            store_block(image, x, y, pixels);
        }
    }
    return 0;
}
