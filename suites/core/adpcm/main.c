/* SPDX-License-Identifier: Apache-2.0 */
/* Codes a synthetic sound at several gains and reports size and error: adpcm SEED SAMPLES PASSES */
#include <stdio.h>
#include <stdlib.h>

#include "adpcm.h"
#include "signal.h"

static uint32_t adler(uint32_t sum, const uint8_t *data, size_t size)
{
    uint32_t a = sum & 0xffff, b = sum >> 16;
    for (size_t i = 0; i < size; i++) {
        a = (a + data[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

static void scale(const int16_t *in, int16_t *out, size_t count, int gain)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (int16_t)(in[i] * gain / 256);
}

static uint64_t squared_error(const int16_t *a, const int16_t *b, size_t count, int *worst)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        int d = abs(a[i] - b[i]);
        if (d > *worst)
            *worst = d;
        total += (uint64_t)((int64_t)d * d);
    }
    return total;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: adpcm SEED SAMPLES PASSES\n");
        return 2;
    }
    uint32_t seed = (uint32_t)strtoul(argv[1], NULL, 10);
    size_t count = strtoul(argv[2], NULL, 10) & ~(size_t)1;
    int passes = atoi(argv[3]);
    int16_t *original = calloc(count + 2, sizeof *original);
    int16_t *scaled = calloc(count + 2, sizeof *scaled);
    int16_t *decoded = calloc(count + 2, sizeof *decoded);
    uint8_t *codes = calloc(count / 2 + 1, 1);
    if (!original || !scaled || !decoded || !codes) {
        fprintf(stderr, "adpcm: out of memory\n");
        return 1;
    }
    signal_fill(original, count, seed);

    uint32_t checksum = 1;
    uint64_t error = 0;
    int worst = 0;
    size_t bytes = 0;
    for (int pass = 0; pass < passes; pass++) {
        struct adpcm_state coder, decoder;
        scale(original, scaled, count, 256 - pass * 5 % 200);
        adpcm_init(&coder);
        adpcm_init(&decoder);
        size_t size = adpcm_encode(&coder, scaled, count, codes);
        adpcm_decode(&decoder, codes, size, decoded);
        checksum = adler(checksum, codes, size);
        error += squared_error(scaled, decoded, count, &worst);
        bytes += size;
    }
    printf("samples %zu passes %d bytes %zu\n", count, passes, bytes);
    printf("codes checksum %08x\n", checksum);
    printf("squared error %llu worst %d\n", (unsigned long long)error, worst);
    free(original);
    free(scaled);
    free(decoded);
    free(codes);
    return 0;
}
