/* SPDX-License-Identifier: Apache-2.0 */
/* Codes an image at a range of qualities and reports size and error: dct IMAGE.pgm FROM TO STEP */
#include <stdio.h>
#include <stdlib.h>

#include "codec.h"

static uint32_t fnv(const uint8_t *bytes, size_t size)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

struct totals {
    size_t bytes;
    uint64_t squared_error;
    uint32_t checksum;
};

static int run(const struct image *image, int quality, struct totals *totals)
{
    struct stream stream = {NULL, 0};
    struct image decoded;

    if (codec_encode(image, quality, &stream) != 0 || codec_decode(&stream, &decoded) != 0) {
        free(stream.bytes);
        return -1;
    }
    uint64_t error = image_squared_error(image, &decoded);
    uint32_t checksum = fnv(stream.bytes, stream.size);
    if (quality % 10 == 0)
        printf("quality %d: %zu bytes, checksum %08x, squared error %llu\n", quality, stream.size,
               checksum, (unsigned long long)error);
    totals->bytes += stream.size;
    totals->squared_error += error;
    totals->checksum = totals->checksum * 31 + checksum;
    free(stream.bytes);
    image_free(&decoded);
    return 0;
}

int main(int argc, char **argv)
{
    struct image image;
    struct totals totals = {0, 0, 0};

    if (argc != 5) {
        fprintf(stderr, "usage: dct IMAGE.pgm FROM TO STEP\n");
        return 2;
    }
    int from = atoi(argv[2]), to = atoi(argv[3]), step = atoi(argv[4]);
    if (from < 1 || to > 100 || step < 1) {
        fprintf(stderr, "dct: qualities are 1 to 100\n");
        return 2;
    }
    if (image_read_pgm(&image, argv[1]) != 0) {
        fprintf(stderr, "dct: cannot read %s\n", argv[1]);
        return 1;
    }
    printf("image %d x %d\n", image.width, image.height);
    for (int quality = from; quality <= to; quality += step) {
        if (run(&image, quality, &totals) != 0) {
            fprintf(stderr, "dct: quality %d failed\n", quality);
            image_free(&image);
            return 1;
        }
    }
    printf("total: %zu bytes, checksum %08x, squared error %llu\n", totals.bytes, totals.checksum,
           (unsigned long long)totals.squared_error);
    image_free(&image);
    return 0;
}
