/* SPDX-License-Identifier: Apache-2.0 */
/* Grey-scale images: storage, access, binary PGM files. */
#include "image.h"

#include <stdio.h>
#include <stdlib.h>

static size_t pixel_count(const struct image *image)
{
    return (size_t)image->width * (size_t)image->height;
}

int image_alloc(struct image *image, int width, int height)
{
    image->width = width;
    image->height = height;
    image->pixels = calloc((size_t)width, (size_t)height);
    return image->pixels ? 0 : -1;
}

void image_free(struct image *image)
{
    free(image->pixels);
    image->pixels = NULL;
}

int image_read_pgm(struct image *image, const char *path)
{
    int width, height, maximum, status = -1;
    FILE *f = fopen(path, "rb");

    if (!f)
        return -1;
    if (fscanf(f, "P5 %d %d %d", &width, &height, &maximum) == 3 && maximum == 255 && width > 0 && height > 0 &&
        width < 20000 && height < 20000 && fgetc(f) != EOF && image_alloc(image, width, height) == 0) {
        status = fread(image->pixels, 1, pixel_count(image), f) == pixel_count(image) ? 0 : -1;
        if (status != 0)
            image_free(image);
    }
    fclose(f);
    return status;
}

uint8_t image_get(const struct image *image, int x, int y)
{
    return image->pixels[(size_t)y * (size_t)image->width + (size_t)x];
}

void image_set(struct image *image, int x, int y, uint8_t value)
{
    image->pixels[(size_t)y * (size_t)image->width + (size_t)x] = value;
}

uint32_t image_checksum(const struct image *image)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < pixel_count(image); i++)
        hash = (hash ^ image->pixels[i]) * 16777619u;
    return hash;
}

double image_mean(const struct image *image)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < pixel_count(image); i++)
        sum += image->pixels[i];
    return (double)sum / (double)pixel_count(image);
}
