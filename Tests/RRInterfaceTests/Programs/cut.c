// Streams a dataset that is cut short meanwhile: prints the error, which names a sample.
//
//     cut DATASET
#include "checks.h"

#include <unistd.h>

int main(int count, char **words) {
    rr_dataset *dataset = NULL;
    rr_stream *stream = NULL;
    rr_batch *batch = NULL;
    rr_error *error = NULL;
    if (count != 2) { return 64; }
    const char *path = words[1];
    CHECK(rr_dataset_open(&path, 1, NULL, &dataset, &error) == RR_OK);
    // With little memory nothing is kept, and every epoch reads the file.
    CHECK(
        rr_stream_open(dataset, NULL, "{\"batch_size\": 1, \"epochs\": 0, \"memory\": 90000}", NULL, &stream, &error)
        == RR_OK);
    CHECK(rr_stream_next(stream, -1, &batch, &error) == RR_OK);
    rr_batch_close(batch);
    CHECK(truncate(path, 4096) == 0);
    rr_status status;
    while ((status = rr_stream_next(stream, 60000, &batch, &error)) == RR_OK) { rr_batch_close(batch); }
    CHECK(status == RR_BAD_DATA || status == RR_IO_ERROR);
    CHECK(rr_error_sample(error) >= 0 && strstr(rr_error_path(error), path) != NULL);
    puts(rr_error_message(error));
    rr_error_free(error);
    CHECK(rr_stream_next(stream, -1, &batch, &error) == RR_END);
    rr_stream_close(stream);
    rr_dataset_close(dataset);
    return 0;
}
