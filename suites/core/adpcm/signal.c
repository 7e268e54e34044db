/* SPDX-License-Identifier: Apache-2.0 */
/* Synthetic test sound: three gliding tones, an envelope and some noise, all in integers. */
#include "signal.h"

struct tone {
    uint32_t phase;
    uint32_t frequency; /* phase increment per sample */
    int32_t glide;      /* change of the increment per 64 samples */
    int amplitude;
};

static uint32_t next_random(uint32_t *state)
{
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

/* Parabolic approximation of the sine; the full circle is 2^32, the result -32767..32767. */
static int sine(uint32_t phase)
{
    int x = (int)(phase >> 16 & 0x7fff); /* position in the half wave */
    int y = (int)((int64_t)x * (0x8000 - x) * 32767 >> 28);
    return phase >> 31 ? -y : y;
}

void signal_fill(int16_t *samples, size_t count, uint32_t seed)
{
    uint32_t random = seed * 2654435761u | 1;
    struct tone tones[3];

    for (int t = 0; t < 3; t++) {
        tones[t].phase = next_random(&random);
        tones[t].frequency = 8000000u + next_random(&random) % 90000000u;
        tones[t].glide = (int32_t)(next_random(&random) % 20001u) - 10000;
        tones[t].amplitude = 4000 + (int)(next_random(&random) % 6000u);
    }
    for (size_t i = 0; i < count; i++) {
        int noise = (int)(next_random(&random) >> 22) - 512;
        int envelope = sine((uint32_t)i << 15) / 2 + 16384;
        int sum = noise;

        for (int t = 0; t < 3; t++) {
            sum += sine(tones[t].phase) * tones[t].amplitude / 32768;
            tones[t].phase += tones[t].frequency;
            if (i % 64 == 0)
                tones[t].frequency += (uint32_t)tones[t].glide;
        }
        samples[i] = (int16_t)((int64_t)sum * envelope / 32768);
    }
}
