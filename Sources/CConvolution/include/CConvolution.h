// Direct convolutions of feature maps whose samples lie innermost, (channels, height, width, samples).
//
// Samples by the eight fill vectors: every instruction works on as many samples at once, under any stride, padding
// and dilation, and nothing but the weights is packed. Where samples are fewer, vectors run over pixels and samples,
// and the input is laid out with its padding, a part at a time that the cache holds. Each function has a version for
// AVX-512, for AVX2 with FMA and for any processor; the best that the processor has is taken. The versions differ in
// their rounding.
#pragma once
#include "elements.h"
#include "linear.h"
#include "versions.h"
#include <stdbool.h>
#include <stddef.h>

// The kernel along one dimension. The padding is that before the input, and may be negative, which crops; how far a
// kernel reaches beyond the input's end follows from the output's extent.
typedef struct {
    ptrdiff_t kernel, stride, padding, dilation;
} rr_convolution_axis;

// A convolution over a group of samples. Its channel groups lie one after the other, and are computed so.
typedef struct {
    // The channels and the outputs of one channel group.
    ptrdiff_t groups, channels, height, width;
    ptrdiff_t outputs, output_height, output_width;
    // Along the height and along the width.
    rr_convolution_axis rows, columns;
    // A multiple of 8, of which one of 16, the lanes of the widest vector, is the faster; or any number below 8.
    ptrdiff_t samples;
    // The version to run; the processor must have it.
    rr_convolution_version version;
    // Whether `rr_convolve` computes the transpose of the convolution, which takes a cotangent of its output back to one of
    // its input.
    bool is_transpose;
    // Whether fewer products may stand for the sums of a kernel of three by three in single precision (Winograd's transform),
    // at the cost of two or three of their bits.
    bool may_transform;
    // A call computes one of so many shares of the result, 0 of 1 being all of it; every element has the same bytes
    // whatever the shares. How many are worth having, and of what, is the kernel's: there may be none left for the last.
    ptrdiff_t share, shares;
} rr_convolution;

// The elements that `packed` must hold, and `sums` for a weight gradient, with as many samples or with fewer.
ptrdiff_t rr_convolution_packed_count(const rr_convolution *convolution);
ptrdiff_t rr_convolution_sums_count(const rr_convolution *convolution);

// What the largest share takes of the products of a pass, and of the weight gradient's: 1 over `shares` at best.
double rr_convolution_largest_share(const rr_convolution *convolution, bool is_gradient);

// Writes the output, (groups, outputs, output height, output width, samples), for weights (groups, outputs, channels,
// kernel rows, kernel columns) and a bias (groups, outputs), which may be NULL. `packed` is memory for the weights in
// the order in which they are read.
//
// The transpose takes a cotangent of the output and writes the sum over outputs and taps of it times the weights: the
// cotangent of the input, (groups, channels, height, width, samples). It has no bias.
void rr_convolve_float(
    const rr_convolution *convolution, const float *input, const float *weights, const float *bias, float *packed,
    float *output);
void rr_convolve_double(
    const rr_convolution *convolution, const double *input, const double *weights, const double *bias,
    double *packed, double *output);

// Adds to the weight gradient (groups, outputs, channels, kernel rows, kernel columns) the sum over positions and samples
// of a cotangent of the output times the input. `sums` is memory for it.
void rr_convolution_add_gradient_float(
    const rr_convolution *convolution, const float *input, const float *cotangent, float *sums, float *gradient);
void rr_convolution_add_gradient_double(
    const rr_convolution *convolution, const double *input, const double *cotangent, double *sums, double *gradient);
