/* SPDX-License-Identifier: Apache-2.0 */
/* Smooths an image and finds its edges and corners: smooth IMAGE.pgm ROUNDS */
#include <stdio.h>
#include <stdlib.h>

#include "filter.h"

static void report(const char *name, const struct image *image)
{
    printf("%-8s mean %.6f checksum %08x\n", name, image_mean(image), image_checksum(image));
}

static void swap(struct image *a, struct image *b)
{
    struct image t = *a;
    *a = *b;
    *b = t;
}

int main(int argc, char **argv)
{
    struct image image, work, edges;

    if (argc != 3) {
        fprintf(stderr, "usage: smooth IMAGE.pgm ROUNDS\n");
        return 2;
    }
    if (image_read_pgm(&image, argv[1]) != 0 || image_alloc(&work, image.width, image.height) != 0 ||
        image_alloc(&edges, image.width, image.height) != 0) {
        fprintf(stderr, "smooth: cannot read %s\n", argv[1]);
        return 1;
    }
    report("input", &image);
    smooth_median(&image, &work);
    report("median", &work);
    swap(&image, &work);
    for (int round = 0; round < atoi(argv[2]); round++) {
        printf("round %d\n", round + 1);
        smooth_similar(&image, &work, 3, 20 + 3 * round);
        report("similar", &work);
        swap(&image, &work);
        edge_similar(&image, &edges, 16 + round);
        report("edges", &edges);
        uint32_t checksum = 0;
        int corners = corner_find(&edges, 120, &checksum);
        printf("%-8s %d checksum %08x\n", "corners", corners, checksum);
        edge_sobel(&image, &edges);
        report("sobel", &edges);
        smooth_gauss(&image, &work);
        report("gauss", &work);
    }
    image_free(&image);
    image_free(&work);
    image_free(&edges);
    return 0;
}
