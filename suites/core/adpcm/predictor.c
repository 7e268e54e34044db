/* SPDX-License-Identifier: Apache-2.0 */
/* The adaptive predictor shared by the ADPCM encoder and decoder. */
#include "adpcm.h"

#define STEP_COUNT 89

static const int16_t step_table[STEP_COUNT] = {
    7,     8,     9,     10,    11,    12,    13,    14,    16,    17,    19,    21,    23,
    25,    28,    31,    34,    37,    41,    45,    50,    55,    60,    66,    73,    80,
    88,    97,    107,   118,   130,   143,   157,   173,   190,   209,   230,   253,   279,
    307,   337,   371,   408,   449,   494,   544,   598,   658,   724,   796,   876,   963,
    1060,  1166,  1282,  1411,  1552,  1707,  1878,  2066,  2272,  2499,  2749,  3024,  3327,
    3660,  4026,  4428,  4871,  5358,  5894,  6484,  7132,  7845,  8630,  9493,  10442, 11487,
    12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767,
};

static const int8_t index_change[8] = {-1, -1, -1, -1, 2, 4, 6, 8};

static int clamp(int value, int low, int high)
{
    if (value < low)
        return low;
    if (value > high)
        return high;
    return value;
}

void adpcm_init(struct adpcm_state *state)
{
    state->predicted = 0;
    state->index = 0;
}

int adpcm_step(const struct adpcm_state *state)
{
    return step_table[state->index];
}

/* Applies one 4-bit code to the predictor and returns the new sample. */
int adpcm_advance(struct adpcm_state *state, int code)
{
    int step = step_table[state->index];
    int delta = step >> 3;

    if (code & 4)
        delta += step;
    if (code & 2)
        delta += step >> 1;
    if (code & 1)
        delta += step >> 2;
    if (code & 8)
        delta = -delta;

    state->predicted = clamp(state->predicted + delta, -32768, 32767);
    state->index = clamp(state->index + index_change[code & 7], 0, STEP_COUNT - 1);
    return state->predicted;
}
