/* SPDX-License-Identifier: Apache-2.0 */
/* Corners: strong local maxima of an edge image. */
#include "filter.h"

static int is_peak(const struct image *edges, int x, int y)
{
    uint8_t strength = image_get(edges, x, y);

    for (int dy = -3; dy <= 3; dy++) {
        for (int dx = -3; dx <= 3; dx++) {
            uint8_t other = image_get(edges, x + dx, y + dy);
            int is_later = dy > 0 || (dy == 0 && dx > 0);
            if (other > strength || (other == strength && is_later))
                return 0;
        }
    }
    return 1;
}

int corner_find(const struct image *edges, uint8_t limit, uint32_t *checksum)
{
    int found = 0;

    for (int y = 3; y < edges->height - 3; y++) {
        for (int x = 3; x < edges->width - 3; x++) {
            if (image_get(edges, x, y) < limit || !is_peak(edges, x, y))
                continue;
            found++;
            *checksum = *checksum * 31 + (uint32_t)(y * edges->width + x);
        }
    }
    return found;
}
