/* SPDX-License-Identifier: Apache-2.0 */
/* Grey-scale images and PGM files. */
#ifndef IMAGE_H
#define IMAGE_H

#include <stdint.h>

struct image {
    int width;
    int height;
    uint8_t *pixels; /* width * height, row by row */
};

int image_alloc(struct image *image, int width, int height);
void image_free(struct image *image);
int image_read_pgm(struct image *image, const char *path);
/* Sum of squared differences of two images of equal size. */
uint64_t image_squared_error(const struct image *a, const struct image *b);

#endif
