#include "CConvolution.h"
#include "pixels.h"
#include "shares.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

typedef rr_range range;

// The largest of the sizes for which there is code, and at most `largest`, that does not exceed what is left.
static ptrdiff_t block_size(ptrdiff_t left, ptrdiff_t largest) {
    if (left >= largest) return largest;
    for (ptrdiff_t size = 8; size > 1; size /= 2)
        if (size <= left && size < largest) return size;
    return 1;
}

// The taps of a kernel row that are taken together, at most 5 and evenly shared.
static ptrdiff_t segment_size(ptrdiff_t left) {
    const ptrdiff_t segments = (left + 4) / 5;
    return (left + segments - 1) / segments;
}

// The taps that meet the input, along one dimension, at a position of the output.
static range taps_inside(const rr_convolution_axis *a, ptrdiff_t position, ptrdiff_t extent) {
    const ptrdiff_t first = position * a->stride - a->padding;
    range taps = {0, a->kernel};
    while (taps.start < taps.end && first + taps.start * a->dilation < 0) taps.start++;
    while (taps.end > taps.start && first + (taps.end - 1) * a->dilation >= extent) taps.end--;
    return taps;
}

// Most strides are 1, and a division costs as much as a row of sums.
static inline ptrdiff_t divided_by_stride(const rr_convolution_axis *a, ptrdiff_t value) {
    return a->stride == 1 ? value : value / a->stride;
}

// The positions of the output at which the taps from `first` to `last` all meet the input; {0, 0} for none.
static range positions_inside(
    const rr_convolution_axis *a, ptrdiff_t first, ptrdiff_t last, ptrdiff_t extent, ptrdiff_t output_extent
) {
    const ptrdiff_t before = a->padding - first * a->dilation;
    const ptrdiff_t start = before <= 0 ? 0 : divided_by_stride(a, before + a->stride - 1);
    const ptrdiff_t room = extent - 1 + a->padding - last * a->dilation;
    const ptrdiff_t end = room < 0 ? 0 : MIN(output_extent, divided_by_stride(a, room) + 1);
    return start < end ? (range){start, end} : (range){0, 0};
}

typedef struct {
    void (*convolve)(const rr_convolution *, const float *, const float *, const float *, float *, float *);
    void (*add_gradient)(const rr_convolution *, const float *, const float *, float *, float *);
} float_kernels;

typedef struct {
    void (*convolve)(const rr_convolution *, const double *, const double *, const double *, double *, double *);
    void (*add_gradient)(const rr_convolution *, const double *, const double *, double *, double *);
} double_kernels;

#define BLOCKS_BELOW_4(CASE) CASE(2) CASE(1)
#define BLOCKS_BELOW_6(CASE) CASE(4) BLOCKS_BELOW_4(CASE)
#define BLOCKS_BELOW_8(CASE) BLOCKS_BELOW_6(CASE)
#define BLOCKS_BELOW_12(CASE) CASE(8) BLOCKS_BELOW_8(CASE)

// As many sums as the registers hold, beside the values that they are made of.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,fma"))), apply_to = function)
#define BYTES 64
#define BLOCK 12
#define EACH_SMALLER_BLOCK BLOCKS_BELOW_12
#define GRADIENT_BLOCK 8
#define EACH_SMALLER_GRADIENT_BLOCK BLOCKS_BELOW_8
#define ELEMENT float
#define NAME(x) avx512_float_##x
typedef float_kernels NAME(kernels_type);
#include "kernels.inc"
#undef ELEMENT
#undef NAME
#define ELEMENT double
#define NAME(x) avx512_double_##x
typedef double_kernels NAME(kernels_type);
#include "kernels.inc"
#undef ELEMENT
#undef NAME
#undef BYTES

// Half as wide, for an odd number of eights.
#define BYTES 32
#define ELEMENT float
#define NAME(x) avx512_narrow_float_##x
typedef float_kernels NAME(kernels_type);
#include "kernels.inc"
#undef ELEMENT
#undef NAME
#undef BYTES
#undef BLOCK
#undef EACH_SMALLER_BLOCK
#undef GRADIENT_BLOCK
#undef EACH_SMALLER_GRADIENT_BLOCK
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define BYTES 32
#define BLOCK 6
#define EACH_SMALLER_BLOCK BLOCKS_BELOW_6
#define GRADIENT_BLOCK 4
#define EACH_SMALLER_GRADIENT_BLOCK BLOCKS_BELOW_4
#define ELEMENT float
#define NAME(x) avx2_float_##x
typedef float_kernels NAME(kernels_type);
#include "kernels.inc"
#undef ELEMENT
#undef NAME
#define ELEMENT double
#define NAME(x) avx2_double_##x
typedef double_kernels NAME(kernels_type);
#include "kernels.inc"
#undef ELEMENT
#undef NAME
#undef BYTES
#undef BLOCK
#undef EACH_SMALLER_BLOCK
#undef GRADIENT_BLOCK
#undef EACH_SMALLER_GRADIENT_BLOCK
#pragma clang attribute pop
#endif

#define BYTES 16
#define BLOCK 4
#define EACH_SMALLER_BLOCK BLOCKS_BELOW_4
#define GRADIENT_BLOCK 4
#define EACH_SMALLER_GRADIENT_BLOCK BLOCKS_BELOW_4
#define ELEMENT float
#define NAME(x) generic_float_##x
typedef float_kernels NAME(kernels_type);
#include "kernels.inc"
#undef ELEMENT
#undef NAME
#define ELEMENT double
#define NAME(x) generic_double_##x
typedef double_kernels NAME(kernels_type);
#include "kernels.inc"

rr_convolution_version rr_convolution_best_version(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512bw"))
        return RR_CONVOLUTION_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return RR_CONVOLUTION_AVX2;
#endif
    return RR_CONVOLUTION_GENERIC;
}

const char *rr_convolution_version_name(rr_convolution_version version) {
    switch (version) {
    case RR_CONVOLUTION_AVX512: return "avx512";
    case RR_CONVOLUTION_AVX2: return "avx2";
    default: return "generic";
    }
}

static const float_kernels *float_version(const rr_convolution *c) {
#if defined(__x86_64__)
    if (c->version == RR_CONVOLUTION_AVX512)
        return c->samples % 16 == 0 ? &avx512_float_kernels : &avx512_narrow_float_kernels;
    if (c->version == RR_CONVOLUTION_AVX2) return &avx2_float_kernels;
#endif
    return &generic_float_kernels;
}

static const double_kernels *double_version(const rr_convolution *c) {
#if defined(__x86_64__)
    if (c->version == RR_CONVOLUTION_AVX512) return &avx512_double_kernels;
    if (c->version == RR_CONVOLUTION_AVX2) return &avx2_double_kernels;
#endif
    return &generic_double_kernels;
}

// The convolution that is the transpose of one without a stride, which reads the weights of that transposed and turned by
// 180°.
static rr_convolution transposed(const rr_convolution *c) {
    rr_convolution transpose = *c;
    transpose.channels = c->outputs;
    transpose.height = c->output_height;
    transpose.width = c->output_width;
    transpose.outputs = c->channels;
    transpose.output_height = c->height;
    transpose.output_width = c->width;
    transpose.rows.padding = c->rows.dilation * (c->rows.kernel - 1) - c->rows.padding;
    transpose.columns.padding = c->columns.dilation * (c->columns.kernel - 1) - c->columns.padding;
    transpose.is_transpose = true;
    return transpose;
}

static bool has_stride(const rr_convolution *c) { return c->rows.stride > 1 || c->columns.stride > 1; }

// Takes the channel groups of a share, where there are several; returns the first of them.
static ptrdiff_t share_groups(rr_convolution *c) {
    if (c->groups == 1) return 0;
    const range groups = rr_share_of(c->groups, c->share, c->shares, 1);
    c->groups = groups.end - groups.start;
    c->share = 0;
    c->shares = 1;
    return groups.start;
}

static ptrdiff_t input_elements(const rr_convolution *c) { return c->channels * c->height * c->width * c->samples; }

static ptrdiff_t output_elements(const rr_convolution *c) {
    return c->outputs * c->output_height * c->output_width * c->samples;
}

static ptrdiff_t weight_elements(const rr_convolution *c) {
    return c->outputs * c->channels * c->rows.kernel * c->columns.kernel;
}

// Whether vectors run over pixels and samples.
static bool has_few_samples(const rr_convolution *c) { return c->samples % 8 != 0; }

// The most elements that the kernels over pixels take with as many samples or with fewer.
static ptrdiff_t pixel_count(const rr_convolution *c) {
    ptrdiff_t most = 0;
    for (rr_convolution part = *c; part.samples > 0;) {
        most = MAX(most, rr_pixels_memory_count(&part));
        part.samples -= part.samples > 8 ? 8 : 1;
    }
    return most;
}

ptrdiff_t rr_convolution_packed_count(const rr_convolution *c) {
    const ptrdiff_t weights = c->outputs * c->channels * c->rows.kernel * c->columns.kernel;
    return has_few_samples(c) || has_stride(c) ? MAX(weights, pixel_count(c)) : weights;
}

ptrdiff_t rr_convolution_sums_count(const rr_convolution *c) {
    // The largest block of outputs times the lanes of the widest vector.
    const ptrdiff_t sums = c->channels * c->rows.kernel * c->columns.kernel * 8 * 16;
    return has_few_samples(c) ? MAX(sums, pixel_count(c)) : sums;
}

double rr_convolution_largest_share(const rr_convolution *convolution, bool is_gradient) {
    double most = 0;
    for (ptrdiff_t share = 0; share < convolution->shares; share++) {
        rr_convolution c = *convolution;
        c.share = share;
        double size;
        if (c.groups > 1) {
            share_groups(&c);
            size = (double)c.groups / (double)convolution->groups;
        } else if (is_gradient && has_few_samples(&c)) {
            size = rr_share_size(rr_share_of_weights(&c)) / (double)(c.channels * c.outputs);
        } else if (has_few_samples(&c) && uses_tiles(&c)) {
            const ptrdiff_t tiles = ((c.is_transpose ? c.height : c.output_height) + TILE_ROWS - 1) / TILE_ROWS;
            size = rr_share_size(rr_share_of_tiles(&c)) / (double)(tiles * (c.is_transpose ? c.channels : c.outputs));
        } else if (has_few_samples(&c) || (c.is_transpose && has_stride(&c))) {
            const ptrdiff_t rows = (c.height + c.rows.stride - 1) / c.rows.stride;
            const ptrdiff_t whole = c.is_transpose ? rows * c.channels : c.output_height * c.outputs;
            size = rr_share_size(rr_share_of_pixels(&c)) / (double)whole;
        } else {
            const rr_convolution plain = c.is_transpose && !is_gradient ? transposed(&c) : c;
            const range outputs = rr_share_of_outputs(&plain);
            size = (double)(outputs.end - outputs.start) / (double)plain.outputs;
        }
        most = MAX(most, size);
    }
    return most;
}

#define FUNCTIONS(ELEMENT) \
    void rr_convolve_##ELEMENT( \
        const rr_convolution *convolution, const ELEMENT *input, const ELEMENT *weights, const ELEMENT *bias, \
        ELEMENT *packed, ELEMENT *output \
    ) { \
        rr_convolution c = *convolution; \
        const ptrdiff_t group = share_groups(&c); \
        input += group * (c.is_transpose ? output_elements(&c) : input_elements(&c)); \
        output += group * (c.is_transpose ? input_elements(&c) : output_elements(&c)); \
        weights += group * weight_elements(&c); \
        if (bias) bias += group * c.outputs; \
        if (has_few_samples(&c) || (c.is_transpose && has_stride(&c))) { \
            rr_pixels_convolve_##ELEMENT(&c, input, weights, bias, packed, output); \
            return; \
        } \
        const rr_convolution plain = c.is_transpose ? transposed(&c) : c; \
        ELEMENT##_version(&c)->convolve(&plain, input, weights, bias, packed, output); \
    } \
\
    void rr_convolution_add_gradient_##ELEMENT( \
        const rr_convolution *convolution, const ELEMENT *input, const ELEMENT *cotangent, ELEMENT *sums, \
        ELEMENT *gradient \
    ) { \
        rr_convolution c = *convolution; \
        const ptrdiff_t group = share_groups(&c); \
        input += group * input_elements(&c); \
        cotangent += group * output_elements(&c); \
        gradient += group * weight_elements(&c); \
        if (has_few_samples(&c)) \
            rr_pixels_add_gradient_##ELEMENT(&c, input, cotangent, sums, gradient); \
        else \
            ELEMENT##_version(&c)->add_gradient(&c, input, cotangent, sums, gradient); \
    }

FUNCTIONS(float)
FUNCTIONS(double)
