/* SPDX-License-Identifier: Apache-2.0 */
/* Synthetic test sound. */
#ifndef SIGNAL_H
#define SIGNAL_H

#include <stddef.h>
#include <stdint.h>

void signal_fill(int16_t *samples, size_t count, uint32_t seed);

#endif
