// Products of weights with maps (features, columns), whose columns are the samples, or the pixels and samples, of a group.
//
// A library of matrix products copies both factors before it begins, which takes a sixth of the time and more where one of them
// is as small as a layer's weights. Here maps are read where they lie.
#pragma once
#include "versions.h"
#include <stddef.h>
#include <stdint.h>

// What a product is taken of. There are 8 columns or more.
typedef struct {
    rr_convolution_version version;
    // The features of the result, and those that each is a sum over.
    ptrdiff_t rows, depth;
    ptrdiff_t columns;
    // From one row's weight to the next one's, and from one weight of a row to its next.
    ptrdiff_t row_step, depth_step;
    // From one feature of a map to the next.
    ptrdiff_t map_step;
} rr_linear_map;

// Writes bias[r] + Σ weights[r · row_step + k · depth_step] · input[k][n] over k for each row r and column n; a bias of NULL is 0.
void rr_linear_apply_float(
    const rr_linear_map *map, const float *weights, const float *bias, const float *input, float *output);
void rr_linear_apply_double(
    const rr_linear_map *map, const double *weights, const double *bias, const double *input, double *output);

// Adds Σ left[r][n] · right[k][n] over the columns n to gradient[r · row_step + k]; depth_step is 1.
void rr_linear_add_gradient_float(const rr_linear_map *map, const float *left, const float *right, float *gradient);
void rr_linear_add_gradient_double(const rr_linear_map *map, const double *left, const double *right, double *gradient);

// Writes samples of a batch, (samples, elements), as columns of a matrix (elements, columns): for each column the row of the
// batch that it is.
void rr_write_columns_float_float(
    rr_convolution_version version, const float *batch, const ptrdiff_t *rows, ptrdiff_t columns, ptrdiff_t elements,
    float *matrix);
void rr_write_columns_uint8_t_float(
    rr_convolution_version version, const uint8_t *batch, const ptrdiff_t *rows, ptrdiff_t columns, ptrdiff_t elements,
    float *matrix);
void rr_write_columns_float_double(
    rr_convolution_version version, const float *batch, const ptrdiff_t *rows, ptrdiff_t columns, ptrdiff_t elements,
    double *matrix);
void rr_write_columns_uint8_t_double(
    rr_convolution_version version, const uint8_t *batch, const ptrdiff_t *rows, ptrdiff_t columns, ptrdiff_t elements,
    double *matrix);
