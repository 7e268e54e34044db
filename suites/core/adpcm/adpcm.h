/* SPDX-License-Identifier: Apache-2.0 */
/* IMA-style ADPCM: 16-bit samples to 4-bit codes and back. */
#ifndef ADPCM_H
#define ADPCM_H

#include <stddef.h>
#include <stdint.h>

/* The predictor that encoder and decoder keep in step. */
struct adpcm_state {
    int predicted; /* last reconstructed sample, -32768..32767 */
    int index;     /* position in the step table, 0..88 */
};

void adpcm_init(struct adpcm_state *state);
int adpcm_step(const struct adpcm_state *state);
int adpcm_advance(struct adpcm_state *state, int code);

/* Two codes per byte, low nibble first; count must be even. */
size_t adpcm_encode(struct adpcm_state *state, const int16_t *samples, size_t count, uint8_t *out);
size_t adpcm_decode(struct adpcm_state *state, const uint8_t *in, size_t bytes, int16_t *samples);

#endif
