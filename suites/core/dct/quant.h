/* SPDX-License-Identifier: Apache-2.0 */
/* Quantisation of DCT coefficients and their zigzag order. */
#ifndef QUANT_H
#define QUANT_H

#include <stdint.h>

#include "dct.h"

struct quant {
    int16_t step[BLOCK_SIZE]; /* in natural order */
    uint8_t order[BLOCK_SIZE]; /* zigzag position -> natural position */
};

void quant_init(struct quant *quant, int quality);
void quant_apply(const struct quant *quant, const int16_t in[BLOCK_SIZE], int16_t out[BLOCK_SIZE]);
void quant_restore(const struct quant *quant, const int16_t in[BLOCK_SIZE], int16_t out[BLOCK_SIZE]);

#endif
