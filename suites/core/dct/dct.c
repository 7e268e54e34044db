/* SPDX-License-Identifier: Apache-2.0 */
/* Separable 8x8 DCT-II and its inverse; the one-dimensional steps use the even/odd symmetry. */
#include "dct.h"

#define SHIFT 12
#define ROUND (1 << (SHIFT - 1))

/* cos(k pi / 16) / 2 in units of 2^-12; the DC row has 1 / sqrt(8). */
enum { C1 = 2009, C2 = 1892, C3 = 1703, C4 = 1448, C5 = 1138, C6 = 784, C7 = 400 };

static const int32_t odd[4][4] = {
    {C1, C3, C5, C7},
    {C3, -C7, -C1, -C5},
    {C5, -C1, C7, C3},
    {C7, -C5, C3, -C1},
};

static int16_t descale(int32_t x)
{
    return (int16_t)((x + ROUND) >> SHIFT);
}

static void forward_line(const int16_t *in, int16_t *out, int stride)
{
    int32_t sum[4], difference[4];

    for (int i = 0; i < 4; i++) {
        sum[i] = in[i * stride] + in[(7 - i) * stride];
        difference[i] = in[i * stride] - in[(7 - i) * stride];
    }
    int32_t even0 = sum[0] + sum[3], even1 = sum[1] + sum[2];
    int32_t even2 = sum[0] - sum[3], even3 = sum[1] - sum[2];
    out[0 * stride] = descale(C4 * (even0 + even1));
    out[4 * stride] = descale(C4 * (even0 - even1));
    out[2 * stride] = descale(C2 * even2 + C6 * even3);
    out[6 * stride] = descale(C6 * even2 - C2 * even3);
    for (int k = 0; k < 4; k++) {
        int32_t total = 0;
        for (int i = 0; i < 4; i++)
            total += odd[k][i] * difference[i];
        out[(2 * k + 1) * stride] = descale(total);
    }
}

static void inverse_line(const int16_t *in, int16_t *out, int stride)
{
    int32_t even[4];
    int32_t a = C4 * (in[0] + in[4 * stride]);
    int32_t b = C4 * (in[0] - in[4 * stride]);
    int32_t c = C2 * in[2 * stride] + C6 * in[6 * stride];
    int32_t d = C6 * in[2 * stride] - C2 * in[6 * stride];

    even[0] = a + c;
    even[1] = b + d;
    even[2] = b - d;
    even[3] = a - c;
    int32_t total[4] = {0};
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < 4; i++)
            total[i] += odd[k][i] * in[(2 * k + 1) * stride];
    for (int i = 0; i < 4; i++) {
        out[i * stride] = descale(even[i] + total[i]);
        out[(7 - i) * stride] = descale(even[i] - total[i]);
    }
}

void dct_forward(const int16_t in[BLOCK_SIZE], int16_t out[BLOCK_SIZE])
{
    int16_t rows[BLOCK_SIZE];
    for (int y = 0; y < BLOCK; y++)
        forward_line(in + BLOCK * y, rows + BLOCK * y, 1);
    for (int x = 0; x < BLOCK; x++)
        forward_line(rows + x, out + x, BLOCK);
}

void dct_inverse(const int16_t in[BLOCK_SIZE], int16_t out[BLOCK_SIZE])
{
    int16_t columns[BLOCK_SIZE];
    for (int x = 0; x < BLOCK; x++)
        inverse_line(in + x, columns + x, BLOCK);
    for (int y = 0; y < BLOCK; y++)
        inverse_line(columns + BLOCK * y, out + BLOCK * y, 1);
}
