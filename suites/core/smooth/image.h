/* SPDX-License-Identifier: Apache-2.0 */
/* Grey-scale images. */
#ifndef IMAGE_H
#define IMAGE_H

#include <stdint.h>

struct image {
    int width;
    int height;
    uint8_t *pixels;
};

int image_alloc(struct image *image, int width, int height);
void image_free(struct image *image);
int image_read_pgm(struct image *image, const char *path);
uint8_t image_get(const struct image *image, int x, int y);
void image_set(struct image *image, int x, int y, uint8_t value);
uint32_t image_checksum(const struct image *image);
double image_mean(const struct image *image);

#endif
