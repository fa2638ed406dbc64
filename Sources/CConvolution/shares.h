// How a convolution is cut into the shares of several threads.
//
// What is cut are the elements of the result, never a sum: so each has the bytes that it has in the whole.
#pragma once
#include "CConvolution.h"

typedef struct {
    ptrdiff_t start, end;
} rr_range;

// One of `shares` shares of `count` elements, in multiples of `unit`; none for a share beyond the last.
static inline rr_range rr_share_of(ptrdiff_t count, ptrdiff_t share, ptrdiff_t shares, ptrdiff_t unit) {
    const ptrdiff_t units = (count + unit - 1) / unit;
    const ptrdiff_t start = units * share / shares * unit, end = units * (share + 1) / shares * unit;
    if (share >= shares) return (rr_range){0, 0};
    return (rr_range){start, end < count ? end : count};
}

// A share of a result in two directions.
typedef struct {
    rr_range outer, inner;
} rr_share;

static inline double rr_share_size(rr_share share) {
    return (double)(share.outer.end - share.outer.start) * (double)(share.inner.end - share.inner.start);
}

// Cuts both directions, the outer into pieces of at least `least` and the inner in multiples of `unit`, so that the largest
// share is as small as can be; of cuts alike the one with more pieces of the outer direction.
static inline rr_share rr_shares_of(
    const rr_convolution *c, ptrdiff_t outer, ptrdiff_t least, ptrdiff_t inner, ptrdiff_t unit
) {
    const ptrdiff_t most = outer / least > 1 ? outer / least : 1;
    const ptrdiff_t units = (inner + unit - 1) / unit;
    ptrdiff_t outers = 1, inners = 1, smallest = outer * units;
    for (ptrdiff_t count = 1; count <= most && count <= c->shares; count++) {
        ptrdiff_t others = c->shares / count;
        if (others > units) others = units;
        const ptrdiff_t largest = ((outer + count - 1) / count) * ((units + others - 1) / others);
        if (largest > smallest) continue;
        outers = count;
        inners = others;
        smallest = largest;
    }
    if (c->share >= outers * inners) return (rr_share){{0, 0}, {0, 0}};
    return (rr_share){
        rr_share_of(outer, c->share % outers, outers, 1), rr_share_of(inner, c->share / outers, inners, unit)};
}

// The fewest rows, and channels of a weight gradient, that a share has before outputs are cut: the rows beside them are
// laid out twice, and so is whatever is not cut. The outputs of a block are summed at once.
#define LEAST_ROWS 4
#define LEAST_CHANNELS 16
#define FEW_OUTPUTS 4
#define MANY_OUTPUTS 8

// The shares of rows and outputs, or of rows and channels for the transpose, where vectors run over pixels.
static inline rr_share rr_share_of_pixels(const rr_convolution *c) {
    if (!c->is_transpose) return rr_shares_of(c, c->output_height, LEAST_ROWS, c->outputs, MANY_OUTPUTS);
    const ptrdiff_t rows = (c->height + c->rows.stride - 1) / c->rows.stride;
    return rr_shares_of(c, rows, LEAST_ROWS, c->channels, MANY_OUTPUTS);
}

// The rows of the output that tiles.h computes together.
#define TILE_ROWS 4
// Fewer channels or rows cost more in transforms than they save.
#define LEAST_TILE_CHANNELS 16
#define LEAST_TILE_HEIGHT 20

static inline bool is_tiled_axis(const rr_convolution_axis *a) {
    return a->kernel == 3 && a->stride == 1 && a->dilation == 1 && a->padding >= 0 && a->padding <= 2;
}

// Whether a convolution of few samples, in single precision, is computed by tiles.
static inline bool uses_tiles(const rr_convolution *c) {
    return c->may_transform && is_tiled_axis(&c->rows) && is_tiled_axis(&c->columns)
        && c->channels >= LEAST_TILE_CHANNELS && c->outputs >= LEAST_TILE_CHANNELS && c->height >= LEAST_TILE_HEIGHT
        && c->output_height >= LEAST_TILE_HEIGHT;
}

// The share of tiles and outputs.
static inline rr_share rr_share_of_tiles(const rr_convolution *c) {
    const ptrdiff_t height = c->is_transpose ? c->height : c->output_height;
    return rr_shares_of(c, (height + TILE_ROWS - 1) / TILE_ROWS, 1, c->is_transpose ? c->channels : c->outputs, 8);
}

// The shares of channels and outputs of a weight gradient: every share lays out all that is not cut.
static inline rr_share rr_share_of_weights(const rr_convolution *c) {
    return rr_shares_of(c, c->channels, c->channels < LEAST_CHANNELS ? c->channels : LEAST_CHANNELS, c->outputs, MANY_OUTPUTS);
}

// The shares of outputs where vectors run over samples.
static inline rr_range rr_share_of_outputs(const rr_convolution *c) {
    return rr_share_of(c->outputs, c->share, c->shares, FEW_OUTPUTS);
}
