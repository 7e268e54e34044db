/* SPDX-License-Identifier: Apache-2.0 */
/* ADPCM encoder. */
#include "adpcm.h"

static int encode_sample(struct adpcm_state *state, int sample)
{
    int step = adpcm_step(state);
    int diff = sample - state->predicted;
    int code = 0;

    if (diff < 0) {
        code = 8;
        diff = -diff;
    }
    for (int bit = 4; bit > 0; bit >>= 1) {
        if (diff >= step) {
            code |= bit;
            diff -= step;
        }
        step >>= 1;
    }
    adpcm_advance(state, code);
    return code;
}

size_t adpcm_encode(struct adpcm_state *state, const int16_t *samples, size_t count, uint8_t *out)
{
    size_t bytes = count / 2;

    for (size_t i = 0; i < bytes; i++) {
        int low = encode_sample(state, samples[2 * i]);
        int high = encode_sample(state, samples[2 * i + 1]);
        out[i] = (uint8_t)(low | high << 4);
    }
    return bytes;
}
