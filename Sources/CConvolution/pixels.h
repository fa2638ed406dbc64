// Convolutions of so few samples that vectors run over pixels and samples; CConvolution.h says what each one does.
#pragma once
#include "CConvolution.h"

// The elements of memory that any of the functions below takes.
ptrdiff_t rr_pixels_memory_count(const rr_convolution *convolution);

void rr_pixels_convolve_float(
    const rr_convolution *c, const float *input, const float *weights, const float *bias, float *memory, float *output);
void rr_pixels_convolve_double(
    const rr_convolution *c, const double *input, const double *weights, const double *bias, double *memory,
    double *output);
void rr_pixels_add_gradient_float(
    const rr_convolution *c, const float *input, const float *cotangent, float *memory, float *gradient);
void rr_pixels_add_gradient_double(
    const rr_convolution *c, const double *input, const double *cotangent, double *memory, double *gradient);
