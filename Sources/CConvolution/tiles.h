// Where a convolution of three rows is computed by tiles of four rows (Winograd, "Arithmetic Complexity of Computations", 1980;
// Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015).
//
// Four rows of the output are sums over six rows of the input: with these transformed along the height, by B, and the weights
// by G, six products stand for twelve, and A takes them back. Along the width nothing is transformed, so vectors run over
// pixels and samples as elsewhere. The transforms add and subtract up to eight times a number: the last two or three bits of
// single precision differ from those of the sums that define the convolution.
#pragma once
#include "pixel_layout.h"
#include "shares.h"

// The rows of the input that a tile's four rows of the output are sums over.
#define TILE_SOURCES 6
// The taps along the width.
#define TILE_TAPS 3
// The bytes of transformed rows that the second cache holds beside weights.
#define TILE_BYTES (1 << 20)
// How transformed rows of the source lie in memory, for the convolution or for its transpose.
typedef struct {
    ptrdiff_t channels, height, width, outputs, target_height, target_width, samples;
    ptrdiff_t row_padding, column_padding;
    // As in `rr_layout`.
    ptrdiff_t filled_columns, pitch;
    // The tiles one below the other, and those in a band.
    ptrdiff_t count, band;
} rr_tiles;

static rr_tiles tiles_of(const rr_convolution *c) {
    rr_tiles tiles = {
        .channels = c->channels, .height = c->height, .width = c->width, .outputs = c->outputs,
        .target_height = c->output_height, .target_width = c->output_width, .samples = c->samples,
        .row_padding = c->rows.padding, .column_padding = c->columns.padding};
    if (c->is_transpose)
        tiles = (rr_tiles){
            .channels = c->outputs, .height = c->output_height, .width = c->output_width, .outputs = c->channels,
            .target_height = c->height, .target_width = c->width, .samples = c->samples,
            .row_padding = 2 - c->rows.padding, .column_padding = 2 - c->columns.padding};
    const ptrdiff_t reached = tiles.target_width + 2 - tiles.column_padding;
    tiles.filled_columns = at_most(tiles.width, reached);
    const ptrdiff_t zeros = at_least(tiles.column_padding, reached - tiles.filled_columns);
    tiles.pitch = at_least(tiles.target_width, tiles.filled_columns + zeros);
    tiles.count = (tiles.target_height + TILE_ROWS - 1) / TILE_ROWS;
    const ptrdiff_t tile_bytes = tiles.channels * TILE_SOURCES * tiles.pitch * tiles.samples * (ptrdiff_t)sizeof(float);
    const ptrdiff_t largest = at_least(1, TILE_BYTES / tile_bytes);
    const ptrdiff_t bands = (tiles.count + largest - 1) / largest;
    tiles.band = (tiles.count + bands - 1) / bands;
    return tiles;
}

// The zeros before the first row, and those behind the last, with what the widest block reads beyond.
static inline ptrdiff_t tile_lead(const rr_tiles *tiles) { return (tiles->column_padding * tiles->samples + 15) / 16 * 16; }
static inline ptrdiff_t tile_tail(const rr_tiles *tiles) { return 2 * tiles->samples + SLACK; }

// The positions of one of the six transformed rows in a band, as a run of whole vectors.
static inline ptrdiff_t tile_run(const rr_tiles *tiles, ptrdiff_t count) {
    return ((count - 1) * tiles->pitch + tiles->target_width) * tiles->samples;
}
static inline ptrdiff_t padded_tile_run(const rr_tiles *tiles, ptrdiff_t count) {
    return (tile_run(tiles, count) + 15) / 16 * 16;
}

static ptrdiff_t tile_memory_count(const rr_convolution *c) {
    const rr_tiles tiles = tiles_of(c);
    const ptrdiff_t weights = TILE_SOURCES * TILE_TAPS * tiles.channels * tiles.outputs;
    const ptrdiff_t sums = TILE_SOURCES * 8 * (padded_tile_run(&tiles, tiles.band) + SLACK);
    const ptrdiff_t rows = tiles.channels * TILE_SOURCES * tiles.band * tiles.pitch * tiles.samples;
    return weights + sums + tile_lead(&tiles) + rows + tile_tail(&tiles)
        + (tiles.width + (TILE_ROWS - 1) * tiles.target_width) * tiles.samples + SLACK;
}
