/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical Huffman codes over byte symbols, at most 16 bits long. */
#ifndef HUFF_H
#define HUFF_H

#include <stdint.h>

#include "bitio.h"

#define HUFF_SYMBOLS 256
#define HUFF_MAX_BITS 16

struct huff {
    uint8_t length[HUFF_SYMBOLS]; /* 0: not used */
    uint16_t code[HUFF_SYMBOLS];
    /* for decoding: */
    uint16_t count[HUFF_MAX_BITS + 1];
    uint8_t sorted[HUFF_SYMBOLS]; /* symbols by code */
};

void huff_build(struct huff *huff, const uint32_t frequency[HUFF_SYMBOLS]);
void huff_write_table(const struct huff *huff, struct bit_writer *out);
void huff_read_table(struct huff *huff, struct bit_reader *in);
void huff_put(const struct huff *huff, struct bit_writer *out, int symbol);
int huff_get(const struct huff *huff, struct bit_reader *in); /* -1: bad code */

#endif
