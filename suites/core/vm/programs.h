/* SPDX-License-Identifier: Apache-2.0 */
/* Sample programs for the stack machine; memory[0] holds the size parameter. */
#ifndef PROGRAMS_H
#define PROGRAMS_H

struct sample {
    const char *name;
    const char *text;
    int divisor; /* the size parameter is scale / divisor + offset */
    int offset;
};

extern const struct sample samples[];
extern const int sample_count;

#endif
