/* SPDX-License-Identifier: Apache-2.0 */
/* Edge detectors. */
#include <stdlib.h>

#include "filter.h"

static int sobel(const struct image *in, int x, int y, int horizontal)
{
    int sum = 0;
    for (int i = -1; i <= 1; i++) {
        int weight = i == 0 ? 2 : 1;
        if (horizontal)
            sum += weight * (image_get(in, x + 1, y + i) - image_get(in, x - 1, y + i));
        else
            sum += weight * (image_get(in, x + i, y + 1) - image_get(in, x + i, y - 1));
    }
    return sum;
}

void edge_sobel(const struct image *in, struct image *out)
{
    for (int y = 1; y < in->height - 1; y++) {
        for (int x = 1; x < in->width - 1; x++) {
            int strength = (abs(sobel(in, x, y, 1)) + abs(sobel(in, x, y, 0))) / 4;
            image_set(out, x, y, (uint8_t)(strength > 255 ? 255 : strength));
        }
    }
}

/* Half widths of the rows of a disc of 37 pixels. */
static const int half_width[7] = {1, 2, 3, 3, 3, 2, 1};

#define DISC_LIMIT 2700 /* three quarters of the largest sum, without the centre */

void edge_similar(const struct image *in, struct image *out, int threshold)
{
    struct weights weights;

    weights_init(&weights, threshold);
    for (int y = 3; y < in->height - 3; y++) {
        for (int x = 3; x < in->width - 3; x++) {
            int centre = image_get(in, x, y);
            int similar = -100; /* the centre itself */
            for (int row = -3; row <= 3; row++) {
                int half = half_width[row + 3];
                for (int dx = -half; dx <= half; dx++)
                    similar += weights_of(&weights, image_get(in, x + dx, y + row) - centre);
            }
            int strength = similar < DISC_LIMIT ? (DISC_LIMIT - similar) / 11 : 0;
            image_set(out, x, y, (uint8_t)strength);
        }
    }
}
