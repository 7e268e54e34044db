/* SPDX-License-Identifier: Apache-2.0 */
/* Smoothing filters. */
#include "filter.h"

static void copy_border(const struct image *in, struct image *out, int border)
{
    for (int y = 0; y < in->height; y++) {
        for (int x = 0; x < in->width; x++) {
            if (x >= border && y >= border && x < in->width - border && y < in->height - border)
                continue;
            image_set(out, x, y, image_get(in, x, y));
        }
    }
}

/* The 5x5 binomial kernel. */
void smooth_gauss(const struct image *in, struct image *out)
{
    static const int kernel[5] = {1, 4, 6, 4, 1};

    copy_border(in, out, 2);
    for (int y = 2; y < in->height - 2; y++) {
        for (int x = 2; x < in->width - 2; x++) {
            int sum = 0;
            for (int dy = -2; dy <= 2; dy++)
                for (int dx = -2; dx <= 2; dx++)
                    sum += kernel[dy + 2] * kernel[dx + 2] * image_get(in, x + dx, y + dy);
            image_set(out, x, y, (uint8_t)((sum + 128) / 256));
        }
    }
}

static uint8_t median9(uint8_t v[9])
{
    for (int i = 1; i < 9; i++) {
        uint8_t item = v[i];
        int j = i;
        for (; j > 0 && v[j - 1] > item; j--)
            v[j] = v[j - 1];
        v[j] = item;
    }
    return v[4];
}

void smooth_median(const struct image *in, struct image *out)
{
    uint8_t v[9];

    copy_border(in, out, 1);
    for (int y = 1; y < in->height - 1; y++) {
        for (int x = 1; x < in->width - 1; x++) {
            for (int i = 0; i < 9; i++)
                v[i] = image_get(in, x + i % 3 - 1, y + i / 3 - 1);
            image_set(out, x, y, median9(v));
        }
    }
}

void smooth_similar(const struct image *in, struct image *out, int radius, int threshold)
{
    struct weights weights;

    weights_init(&weights, threshold);
    copy_border(in, out, radius);
    for (int y = radius; y < in->height - radius; y++) {
        for (int x = radius; x < in->width - radius; x++) {
            int centre = image_get(in, x, y);
            int total = 0, area = 0;
            for (int dy = -radius; dy <= radius; dy++) {
                for (int dx = -radius; dx <= radius; dx++) {
                    if (dx * dx + dy * dy > radius * radius + 1)
                        continue;
                    int pixel = image_get(in, x + dx, y + dy);
                    int weight = weights_of(&weights, pixel - centre);
                    total += weight * pixel;
                    area += weight;
                }
            }
            image_set(out, x, y, (uint8_t)((total + area / 2) / area));
        }
    }
}
