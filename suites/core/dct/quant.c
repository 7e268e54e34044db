/* SPDX-License-Identifier: Apache-2.0 */
/* Quantisation of DCT coefficients and their zigzag order. */
#include "quant.h"

static void fill_zigzag(uint8_t order[BLOCK_SIZE])
{
    int x = 0, y = 0;
    for (int i = 0; i < BLOCK_SIZE; i++) {
        order[i] = (uint8_t)(y * BLOCK + x);
        if ((x + y) % 2 == 0) { /* going up and right */
            if (x == BLOCK - 1)
                y++;
            else if (y == 0)
                x++;
            else
                x++, y--;
        } else { /* going down and left */
            if (y == BLOCK - 1)
                x++;
            else if (x == 0)
                y++;
            else
                x--, y++;
        }
    }
}

/* Steps grow with the frequency; quality is 1 (coarse) to 100 (fine). */
void quant_init(struct quant *quant, int quality)
{
    int scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
    for (int y = 0; y < BLOCK; y++) {
        for (int x = 0; x < BLOCK; x++) {
            int base = 10 + 5 * (x + y) + x * y / 2;
            int step = (base * scale + 50) / 100;
            quant->step[y * BLOCK + x] = (int16_t)(step < 1 ? 1 : step);
        }
    }
    fill_zigzag(quant->order);
}

void quant_apply(const struct quant *quant, const int16_t in[BLOCK_SIZE], int16_t out[BLOCK_SIZE])
{
    for (int i = 0; i < BLOCK_SIZE; i++) {
        int at = quant->order[i];
        int value = in[at], step = quant->step[at];
        out[i] = (int16_t)(value < 0 ? -((-value + step / 2) / step) : (value + step / 2) / step);
    }
}

void quant_restore(const struct quant *quant, const int16_t in[BLOCK_SIZE], int16_t out[BLOCK_SIZE])
{
    for (int i = 0; i < BLOCK_SIZE; i++) {
        int at = quant->order[i];
        out[at] = (int16_t)(in[i] * quant->step[at]);
    }
}
