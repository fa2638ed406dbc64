#include "CJPEGShim.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

#include "CPixelPlanes.h"

// A file of more scans than this is made to take long; programs write up to a dozen.
enum { largest_scan_count = 200 };
// What libjpeg may hold of the coefficients of a progressive image.
static const long largest_memory = 3L << 30;

// What libjpeg's callbacks need. The first member of each is libjpeg's own.
typedef struct {
    struct jpeg_error_mgr manager;
    jmp_buf jump;
    rr_jpeg_message *message;
    rr_jpeg_status status;
    unsigned faults;
    bool completes;
} errors;

typedef struct {
    struct jpeg_source_mgr manager;
    const uint8_t *start;
    bool is_cut;
} source;

typedef struct {
    struct jpeg_decompress_struct jpeg;
    errors errors;
    source source;
    struct jpeg_progress_mgr progress;
    size_t exif_offset;
    size_t exif_size;
    bool has_color_profile;
} decoder;

static void stop(j_common_ptr jpeg, rr_jpeg_status status, const char *text) {
    errors *state = (errors *)jpeg->err;
    state->status = status;
    snprintf(state->message->text, sizeof state->message->text, "%s", text);
    longjmp(state->jump, 1);
}

static void stop_at_error(j_common_ptr jpeg) {
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    switch (jpeg->err->msg_code) {
    case JERR_OUT_OF_MEMORY:
    case JERR_NO_BACKING_STORE:
        stop(jpeg, RR_JPEG_OUT_OF_MEMORY, "there is not enough memory for the image");
        break;
    case JERR_SOF_UNSUPPORTED:
    case JERR_BAD_PRECISION:
    case JERR_NOT_COMPILED:
    case JERR_ARITH_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_CCIR601_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_IMAGE_TOO_BIG:
        stop(jpeg, RR_JPEG_UNSUPPORTED, text);
        break;
    default:
        stop(jpeg, RR_JPEG_MALFORMED, text);
    }
}

// libjpeg warns of damage and goes on with what it makes of it. That is an error, but where no pixel is touched.
static void note_warning(j_common_ptr jpeg, int level) {
    if (level >= 0) {
        return;
    }
    errors *state = (errors *)jpeg->err;
    switch (jpeg->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:
        state->faults |= RR_JPEG_SURPLUS;
        break;
    case JWRN_ADOBE_XFORM:
    case JWRN_JFIF_MAJOR:
    case JWRN_BOGUS_ICC:
        break;
    default:
        // What a completed file is short of is not damage.
        if (!(state->completes && (state->faults & RR_JPEG_COMPLETED))) {
            stop_at_error(jpeg);
        }
    }
}

static void ignore_message(j_common_ptr jpeg) { (void)jpeg; }

static void begin_source(j_decompress_ptr jpeg) { (void)jpeg; }

static boolean fill_input(j_decompress_ptr jpeg) {
    static const uint8_t end[2] = {0xFF, JPEG_EOI};
    source *state = (source *)jpeg->src;
    errors *errors_state = (errors *)jpeg->err;
    state->is_cut = true;
    if (!errors_state->completes) {
        stop((j_common_ptr)jpeg, RR_JPEG_MALFORMED, "the file is cut short");
    }
    errors_state->faults |= RR_JPEG_COMPLETED;
    state->manager.next_input_byte = end;
    state->manager.bytes_in_buffer = sizeof end;
    return TRUE;
}

static void skip_input(j_decompress_ptr jpeg, long count) {
    struct jpeg_source_mgr *input = jpeg->src;
    if (count <= 0) {
        return;
    }
    if ((size_t)count > input->bytes_in_buffer) {
        input->bytes_in_buffer = 0;
        fill_input(jpeg);
        return;
    }
    input->next_input_byte += count;
    input->bytes_in_buffer -= (size_t)count;
}

static void limit_scans(j_common_ptr jpeg) {
    if (((j_decompress_ptr)jpeg)->input_scan_number > largest_scan_count) {
        stop(jpeg, RR_JPEG_MALFORMED, "the image comes in more than 200 scans");
    }
}

// Notes where a segment for other programs lies, and passes over it.
static boolean note_segment(j_decompress_ptr jpeg) {
    decoder *state = (decoder *)jpeg;
    struct jpeg_source_mgr *input = jpeg->src;
    if (input->bytes_in_buffer < 2) {
        input->bytes_in_buffer = 0;
        return fill_input(jpeg);
    }
    size_t size = (size_t)input->next_input_byte[0] << 8 | input->next_input_byte[1];
    const uint8_t *content = input->next_input_byte + 2;
    if (size < 2) {
        stop((j_common_ptr)jpeg, RR_JPEG_MALFORMED, "a segment is shorter than its length");
    }
    if (size <= input->bytes_in_buffer) {
        size_t length = size - 2;
        if (jpeg->unread_marker == JPEG_APP0 + 1 && length > 6 && memcmp(content, "Exif\0", 6) == 0
            && state->exif_size == 0) {
            state->exif_offset = (size_t)(content + 6 - state->source.start);
            state->exif_size = length - 6;
        }
        if (jpeg->unread_marker == JPEG_APP0 + 2 && length > 12 && memcmp(content, "ICC_PROFILE", 12) == 0) {
            state->has_color_profile = true;
        }
    }
    skip_input(jpeg, (long)size);
    return TRUE;
}

static void prepare(
    decoder *state, const uint8_t *bytes, size_t count, bool completes, rr_jpeg_message *message) {
    memset(message, 0, sizeof *message);
    struct jpeg_error_mgr *manager = jpeg_std_error(&state->errors.manager);
    manager->error_exit = stop_at_error;
    manager->emit_message = note_warning;
    manager->output_message = ignore_message;
    state->errors.message = message;
    state->errors.completes = completes;
    state->jpeg.err = manager;
    state->source.start = bytes;
    state->source.manager = (struct jpeg_source_mgr){
        .next_input_byte = bytes,
        .bytes_in_buffer = count,
        .init_source = begin_source,
        .fill_input_buffer = fill_input,
        .skip_input_data = skip_input,
        .resync_to_restart = jpeg_resync_to_restart,
        .term_source = begin_source,
    };
}

static void read_header(decoder *state) {
    j_decompress_ptr jpeg = &state->jpeg;
    jpeg_create_decompress(jpeg);
    jpeg->mem->max_memory_to_use = largest_memory;
    jpeg->src = &state->source.manager;
    state->progress.progress_monitor = limit_scans;
    jpeg->progress = &state->progress;
    jpeg_set_marker_processor(jpeg, JPEG_APP0 + 1, note_segment);
    jpeg_set_marker_processor(jpeg, JPEG_APP0 + 2, note_segment);
    jpeg_read_header(jpeg, TRUE);
    if (jpeg->num_components != 1 && jpeg->num_components != 3 && jpeg->num_components != 4) {
        stop((j_common_ptr)jpeg, RR_JPEG_UNSUPPORTED, "the image has neither one nor three nor four components");
    }
}

static uint64_t least_bits(j_decompress_ptr jpeg) {
    uint64_t blocks = 0;
    for (int index = 0; index < jpeg->num_components; index++) {
        const jpeg_component_info *component = jpeg->comp_info + index;
        blocks += (uint64_t)component->width_in_blocks * component->height_in_blocks;
    }
    // A Huffman code has at least one bit. Arithmetic coding takes as little as a hundredth.
    return jpeg->arith_code ? blocks / 100 : blocks;
}

rr_jpeg_status rr_jpeg_read_header(
    const uint8_t *bytes, size_t count, rr_jpeg_header *header, bool *is_cut, rr_jpeg_message *message) {
    decoder state = {0};
    prepare(&state, bytes, count, false, message);
    if (setjmp(state.errors.jump)) {
        *is_cut = state.source.is_cut;
        jpeg_destroy_decompress(&state.jpeg);
        return state.errors.status;
    }
    *is_cut = false;
    read_header(&state);
    *header = (rr_jpeg_header){
        .width = state.jpeg.image_width,
        .height = state.jpeg.image_height,
        .kind = (rr_jpeg_kind)state.jpeg.num_components,
        .is_progressive = state.jpeg.progressive_mode,
        .has_color_profile = state.has_color_profile,
        .exif_offset = state.exif_offset,
        .exif_size = state.exif_size,
        .least_bits = least_bits(&state.jpeg),
    };
    jpeg_destroy_decompress(&state.jpeg);
    return RR_JPEG_OK;
}

// a b / 255, rounded, as in Pillow.
static unsigned product(unsigned a, unsigned b) {
    unsigned product = a * b + 128;
    return ((product >> 8) + product) >> 8;
}

static void write_inks(const uint8_t *inks, size_t count, uint8_t *pixels) {
    for (size_t pixel = 0; pixel < count; pixel++) {
        unsigned light = inks[4 * pixel + 3];
        for (int channel = 0; channel < 3; channel++) {
            pixels[3 * pixel + channel] = (uint8_t)(light - product(255u - inks[4 * pixel + channel], light));
        }
    }
}

// The bytes without a segment at their end that is cut short; what is cut of a scan stays.
static size_t whole_size(const uint8_t *bytes, size_t count) {
    size_t place = 2;
    while (place + 2 <= count) {
        if (bytes[place] != 0xFF || bytes[place + 1] == 0 || bytes[place + 1] == 0xFF
            || (bytes[place + 1] >= JPEG_RST0 && bytes[place + 1] <= JPEG_RST0 + 7)) {
            place++;
            continue;
        }
        if (bytes[place + 1] == JPEG_EOI) {
            return count;
        }
        if (place + 4 > count || place + 2 + ((size_t)bytes[place + 2] << 8 | bytes[place + 3]) > count) {
            return place;
        }
        place += 2 + ((size_t)bytes[place + 2] << 8 | bytes[place + 3]);
    }
    return count;
}

// Rows of pixels that are read before they are brought to planes, while they are near.
enum { band_height = 16 };

rr_jpeg_status rr_jpeg_decode(
    const uint8_t *bytes, size_t count, bool completes, bool is_planar, uint8_t *samples, size_t size, unsigned *faults,
    rr_jpeg_message *message) {
    decoder state = {0};
    prepare(&state, bytes, completes ? whole_size(bytes, count) : count, completes, message);
    if (setjmp(state.errors.jump)) {
        jpeg_destroy_decompress(&state.jpeg);
        return state.errors.status;
    }
    j_decompress_ptr jpeg = &state.jpeg;
    read_header(&state);
    bool is_ink = jpeg->num_components == 4;
    jpeg->out_color_space = is_ink ? JCS_CMYK : jpeg->num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(jpeg);
    size_t width = jpeg->output_width;
    size_t channels = is_ink ? 3 : (size_t)jpeg->output_components;
    size_t row_size = width * channels;
    if (row_size == 0 || size / row_size != jpeg->output_height || size % row_size != 0) {
        stop((j_common_ptr)jpeg, RR_JPEG_MALFORMED, "the header does not match the image");
    }
    is_planar = is_planar && channels > 1;
    // libjpeg's own memory, which goes with it.
    JSAMPARRAY inks = is_ink ? jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE, (JDIMENSION)width * 4, 1) : NULL;
    JSAMPROW band = is_planar
        ? jpeg->mem->alloc_large((j_common_ptr)jpeg, JPOOL_IMAGE, band_height * row_size) : NULL;
    size_t first = 0;
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = is_planar ? band + (jpeg->output_scanline - first) * row_size
                                 : samples + jpeg->output_scanline * row_size;
        if (is_ink) {
            jpeg_read_scanlines(jpeg, inks, 1);
            write_inks(inks[0], width, row);
        } else {
            jpeg_read_scanlines(jpeg, &row, 1);
        }
        size_t taken = jpeg->output_scanline - first;
        if (is_planar && (taken == band_height || jpeg->output_scanline == jpeg->output_height)) {
            rr_separate(
                band, (ptrdiff_t)channels, (ptrdiff_t)(taken * width), samples + first * width,
                (ptrdiff_t)(width * jpeg->output_height));
            first = jpeg->output_scanline;
        }
    }
    jpeg_finish_decompress(jpeg);
    *faults = state.errors.faults;
    jpeg_destroy_decompress(jpeg);
    return RR_JPEG_OK;
}

#define TEXT_OF(token) #token
#define TEXT(macro) TEXT_OF(macro)

const char *rr_jpeg_version(void) { return TEXT(LIBJPEG_TURBO_VERSION); }
