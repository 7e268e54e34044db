/* SPDX-License-Identifier: Apache-2.0 */
/* ADPCM decoder. */
#include "adpcm.h"

size_t adpcm_decode(struct adpcm_state *state, const uint8_t *in, size_t bytes, int16_t *samples)
{
    for (size_t i = 0; i < bytes; i++) {
        samples[2 * i] = (int16_t)adpcm_advance(state, in[i] & 15);
        samples[2 * i + 1] = (int16_t)adpcm_advance(state, in[i] >> 4);
    }
    return bytes * 2;
}
