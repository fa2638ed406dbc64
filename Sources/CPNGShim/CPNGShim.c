#include "CPNGShim.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

// What libpng's callbacks need: where to jump, what to say, where to read and to write.
typedef struct {
    rr_png_message *message;
    const uint8_t *input;
    size_t input_left;
    uint8_t *output;
    size_t output_count;
    size_t output_capacity;
} context;

static void stop_at_error(png_structp png, png_const_charp text) {
    context *state = (context *)png_get_error_ptr(png);
    strncpy(state->message->text, text, sizeof state->message->text - 1);
    png_longjmp(png, 1);
}

static void ignore_warning(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

static void read_input(png_structp png, png_bytep target, size_t count) {
    context *state = (context *)png_get_io_ptr(png);
    if (count > state->input_left) {
        png_error(png, "the file is cut short");
    }
    memcpy(target, state->input, count);
    state->input += count;
    state->input_left -= count;
}

static void write_output(png_structp png, png_bytep source, size_t count) {
    context *state = (context *)png_get_io_ptr(png);
    if (count > state->output_capacity - state->output_count) {
        size_t capacity = state->output_capacity + count;
        capacity += capacity / 2;
        uint8_t *output = realloc(state->output, capacity);
        if (output == NULL) {
            png_error(png, "out of memory");
        }
        state->output = output;
        state->output_capacity = capacity;
    }
    memcpy(state->output + state->output_count, source, count);
    state->output_count += count;
}

static void flush_output(png_structp png) {
    (void)png;
}

rr_png_status rr_png_decode(
    const uint8_t *bytes, size_t count, bool is_stored, uint8_t *samples, size_t size, rr_png_message *message) {
    memset(message, 0, sizeof *message);
    context state = {.message = message, .input = bytes, .input_left = count};
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &state, stop_at_error, ignore_warning);
    png_infop info = png == NULL ? NULL : png_create_info_struct(png);
    if (info == NULL) {
        png_destroy_read_struct(&png, NULL, NULL);
        return RR_PNG_OUT_OF_MEMORY;
    }
    if (setjmp(png_jmpbuf(png))) {
        png_destroy_read_struct(&png, &info, NULL);
        return RR_PNG_MALFORMED;
    }
    png_set_read_fn(png, &state, read_input);
    // Every checksum counts, and so does data after the last row; libpng would only warn of some of these.
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_benign_errors(png, 0);
    // Skips all chunks but those that say what the samples mean: colour profiles, gamma, text, …
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_read_info(png, info);
    if (is_stored) {
        png_set_packing(png);
    } else {
        // Palettes to RGB, gray of 1, 2 and 4 bits to 8, tRNS to alpha.
        png_set_expand(png);
    }
    if (png_get_bit_depth(png, info) == 16) {
        png_set_swap(png);
    }
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    size_t row_size = png_get_rowbytes(png, info);
    size_t height = png_get_image_height(png, info);
    if (row_size == 0 || size / row_size != height || size % row_size != 0) {
        png_error(png, "the header does not match the image");
    }
    for (int pass = 0; pass < passes; pass++) {
        for (size_t row = 0; row < height; row++) {
            png_read_row(png, samples + row * row_size, NULL);
        }
    }
    png_read_end(png, NULL);
    png_destroy_read_struct(&png, &info, NULL);
    return RR_PNG_OK;
}

rr_png_status rr_png_encode(
    const uint8_t *samples, uint32_t width, uint32_t height, int channels, int depth, uint8_t **bytes,
    size_t *count, rr_png_message *message) {
    static const int color_types[] = {
        PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
    memset(message, 0, sizeof *message);
    *bytes = NULL;
    *count = 0;
    // On the heap and no local: it changes after setjmp and is read after longjmp.
    context *state = calloc(1, sizeof *state);
    if (state == NULL) {
        return RR_PNG_OUT_OF_MEMORY;
    }
    state->message = message;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, state, stop_at_error, ignore_warning);
    png_infop info = png == NULL ? NULL : png_create_info_struct(png);
    if (info == NULL) {
        png_destroy_write_struct(&png, NULL);
        free(state);
        return RR_PNG_OUT_OF_MEMORY;
    }
    if (setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, &info);
        free(state->output);
        free(state);
        return RR_PNG_MALFORMED;
    }
    png_set_write_fn(png, state, write_output, flush_output);
    png_set_IHDR(
        png, info, width, height, depth, color_types[channels - 1], PNG_INTERLACE_NONE,
        PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    if (depth == 16) {
        png_set_swap(png);
    }
    size_t row_size = (size_t)width * channels * (depth / 8);
    for (size_t row = 0; row < height; row++) {
        png_write_row(png, samples + row * row_size);
    }
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    *bytes = state->output;
    *count = state->output_count;
    free(state);
    return RR_PNG_OK;
}
