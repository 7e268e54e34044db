/* SPDX-License-Identifier: Apache-2.0 */
/* The table of similarity by brightness difference. */
#include "filter.h"

/* 100 / (1 + (d / threshold)^6), in integers. */
void weights_init(struct weights *weights, int threshold)
{
    for (int d = -255; d <= 255; d++) {
        int64_t d2 = (int64_t)d * d, t2 = (int64_t)threshold * threshold;
        int64_t d6 = d2 * d2 * d2, t6 = t2 * t2 * t2;
        weights->table[d + 255] = (uint8_t)(100 * t6 / (t6 + d6));
    }
}

int weights_of(const struct weights *weights, int difference)
{
    return weights->table[difference + 255];
}
