// Writes what a stream gives, array after array of every batch, on standard output.
//
//     stream DATASET[+DATASET…] MASKS|- OPTIONS [CURSOR-FILE BATCHES]
//
// With a file for the cursor it goes on from there where the file is, and leaves it behind after so many batches.
#include "checks.h"

static char *contents(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) { return NULL; }
    char *text = calloc(1, 4096);
    if (fread(text, 1, 4095, file) == 0) { text[0] = 0; }
    fclose(file);
    return text;
}

int main(int count, char **words) {
    rr_dataset *dataset = NULL;
    rr_masks *masks = NULL;
    rr_stream *stream = NULL;
    rr_batch *batch = NULL;
    rr_error *error = NULL;
    if (count < 4) { return 64; }
    const char *paths[8];
    size_t path_count = 0;
    for (char *path = strtok(words[1], "+"); path != NULL; path = strtok(NULL, "+")) { paths[path_count++] = path; }
    const char *mask_path = words[2];
    CHECK(rr_dataset_open(paths, path_count, NULL, &dataset, &error) == RR_OK);
    if (strcmp(mask_path, "-") != 0) { CHECK(rr_masks_open(dataset, &mask_path, 1, &masks, &error) == RR_OK); }
    char *cursor = count > 4 ? contents(words[4]) : NULL;
    CHECK(rr_stream_open(dataset, masks, words[3], cursor, &stream, &error) == RR_OK);
    free(cursor);
    // The stream keeps what it needs.
    rr_dataset_close(dataset);
    long left = count > 5 ? atol(words[5]) : -1;
    rr_status status = RR_OK;
    while (left-- != 0 && (status = rr_stream_next(stream, -1, &batch, &error)) == RR_OK) {
        rr_arrays arrays = {.size = sizeof arrays};
        CHECK(rr_batch_arrays(batch, &arrays) == RR_OK);
        size_t elements = (size_t)(arrays.channels * arrays.height * arrays.width), size = (size_t)arrays.count;
        CHECK((arrays.masks != NULL) == (masks != NULL));
        size_t element_size = arrays.image_type == RR_FLOAT32 ? sizeof(float) : 1;
        fwrite(arrays.images, element_size, size * elements, stdout);
        fwrite(arrays.labels, sizeof(int64_t), size, stdout);
        fwrite(arrays.index, sizeof(int64_t), size, stdout);
        if (arrays.masks != NULL) { fwrite(arrays.masks, 1, size * elements, stdout); }
        fwrite(arrays.annotated, 1, size, stdout);
        if (count > 4) {
            char *text = NULL;
            CHECK(rr_stream_cursor(stream, arrays.next_epoch, arrays.next_position, &text, &error) == RR_OK);
            FILE *file = fopen(words[4], "wb");
            CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
            rr_text_free(text);
        }
        rr_batch_close(batch);
    }
    if (error != NULL) { fprintf(stderr, "%s: %s\n", rr_error_code(error), rr_error_message(error)); }
    rr_error_free(error);
    rr_stream_close(stream);
    rr_masks_close(masks);
    return status == RR_END || left < 0 ? 0 : (int)status;
}
