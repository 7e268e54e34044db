/* SPDX-License-Identifier: Apache-2.0 */
/* A random walk between two walls: no branch of it can be predicted.  walk STEPS */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    long steps = argc > 1 ? atol(argv[1]) : 4000000;
    uint32_t dice = 1;
    int32_t place = 0, touched = 0;

    for (long i = 0; i < steps; i++) {
        dice = dice * 1664525u + 1013904223u;
        int32_t step = (int32_t)(dice >> 24) + 1;
        if (dice & 0x800000)
            step = -step;
        place += step;
        if (place > 200)
            place = 200;
        if (place < -200)
            place = -200;
        touched += place & 1;
    }
    printf("%d %d\n", place, touched);
    return 0;
}
