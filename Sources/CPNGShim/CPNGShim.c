#include "CPNGShim.h"

#include <png.h>
#include <string.h>

// What libpng's callbacks need: where to jump, what to say, where to read.
typedef struct {
    rr_png_message *message;
    const uint8_t *input;
    size_t input_left;
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

const char *rr_png_version(void) { return png_get_libpng_ver(NULL); }
