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

// Cuts the outer direction first, into pieces of at least `least`, and then the inner, in multiples of `unit`.
static inline rr_share rr_shares_of(
    const rr_convolution *c, ptrdiff_t outer, ptrdiff_t least, ptrdiff_t inner, ptrdiff_t unit
) {
    const ptrdiff_t most = outer / least > 1 ? outer / least : 1;
    const ptrdiff_t units = (inner + unit - 1) / unit;
    ptrdiff_t outers = 1, inners = 1;
    for (ptrdiff_t count = 1; count <= most && count <= c->shares; count++) {
        ptrdiff_t others = c->shares / count;
        if (others > units) others = units;
        if (count * others < outers * inners) continue;
        outers = count;
        inners = others;
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

// The shares of channels and outputs of a weight gradient: every share lays out all that is not cut.
static inline rr_share rr_share_of_weights(const rr_convolution *c) {
    return rr_shares_of(c, c->channels, c->channels < LEAST_CHANNELS ? c->channels : LEAST_CHANNELS, c->outputs, MANY_OUTPUTS);
}

// The shares of outputs where vectors run over samples.
static inline rr_range rr_share_of_outputs(const rr_convolution *c) {
    return rr_share_of(c->outputs, c->share, c->shares, FEW_OUTPUTS);
}
