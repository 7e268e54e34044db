/* SPDX-License-Identifier: Apache-2.0 */
/* 8x8 discrete cosine transform in fixed point. */
#ifndef DCT_H
#define DCT_H

#include <stdint.h>

#define BLOCK 8
#define BLOCK_SIZE 64

void dct_forward(const int16_t in[BLOCK_SIZE], int16_t out[BLOCK_SIZE]);
void dct_inverse(const int16_t in[BLOCK_SIZE], int16_t out[BLOCK_SIZE]);

#endif
