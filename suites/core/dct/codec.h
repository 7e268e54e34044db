/* SPDX-License-Identifier: Apache-2.0 */
/* A grey-scale image codec: 8x8 DCT, quantisation, zigzag, run lengths and Huffman codes. */
#ifndef CODEC_H
#define CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "image.h"

struct stream {
    uint8_t *bytes;
    size_t size;
};

/* Both return 0 on success. The caller frees the stream's bytes and the image's pixels. */
int codec_encode(const struct image *image, int quality, struct stream *out);
int codec_decode(const struct stream *in, struct image *image);

#endif
