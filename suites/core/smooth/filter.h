/* SPDX-License-Identifier: Apache-2.0 */
/* Image filters. Each writes to an image of the same size; the border is copied or left black. */
#ifndef FILTER_H
#define FILTER_H

#include "image.h"

/* smooth.c */
void smooth_gauss(const struct image *in, struct image *out);
void smooth_median(const struct image *in, struct image *out);
/* Averages over a disc, weighing down pixels of other brightness: edges stay. */
void smooth_similar(const struct image *in, struct image *out, int radius, int threshold);

/* edge.c */
void edge_sobel(const struct image *in, struct image *out);
/* Strength by the number of similar pixels in a disc: few mean an edge, very few a corner. */
void edge_similar(const struct image *in, struct image *out, int threshold);

/* corner.c: local maxima of an edge image above the limit; returns how many. */
int corner_find(const struct image *edges, uint8_t limit, uint32_t *checksum);

/* weights.c: how alike two pixels are, 0..100, by their difference -255..255. */
struct weights {
    uint8_t table[511];
};
void weights_init(struct weights *weights, int threshold);
int weights_of(const struct weights *weights, int difference);

#endif
