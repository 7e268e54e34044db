/* SPDX-License-Identifier: Apache-2.0 */
/* Grey-scale images and binary PGM files. */
#include "image.h"

#include <stdio.h>
#include <stdlib.h>

int image_alloc(struct image *image, int width, int height)
{
    image->width = width;
    image->height = height;
    image->pixels = malloc((size_t)width * (size_t)height);
    return image->pixels ? 0 : -1;
}

void image_free(struct image *image)
{
    free(image->pixels);
    image->pixels = NULL;
}

int image_read_pgm(struct image *image, const char *path)
{
    int width, height, depth;
    FILE *f = fopen(path, "rb");
    if (!f)
        return -1;
    if (fscanf(f, "P5 %d %d %d", &width, &height, &depth) != 3 || depth != 255 || width <= 0 ||
        height <= 0 || width > 16384 || height > 16384 || fgetc(f) == EOF ||
        image_alloc(image, width, height) != 0) {
        fclose(f);
        return -1;
    }
    size_t size = (size_t)width * (size_t)height;
    size_t got = fread(image->pixels, 1, size, f);
    fclose(f);
    if (got != size) {
        image_free(image);
        return -1;
    }
    return 0;
}

uint64_t image_squared_error(const struct image *a, const struct image *b)
{
    size_t size = (size_t)a->width * (size_t)a->height;
    uint64_t total = 0;
    for (size_t i = 0; i < size; i++) {
        int d = a->pixels[i] - b->pixels[i];
        total += (uint64_t)(d * d);
    }
    return total;
}
