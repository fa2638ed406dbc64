#ifndef RRDATA_H
#define RRDATA_H

// The C interface of rrdata: datasets, masks and streams of batches, for programs in other languages.
//
//     rr_dataset *dataset = NULL;
//     rr_stream *stream = NULL;
//     rr_batch *batch = NULL;
//     rr_error *error = NULL;
//     const char *path = "decoy.h5";
//     if (rr_dataset_open(&path, 1, NULL, &dataset, &error) != RR_OK) {
//         fprintf(stderr, "%s\n", rr_error_message(error));
//     }
//     rr_stream_open(dataset, NULL, "{\"batch_size\": 256, \"shuffle\": true}", NULL, &stream, &error);
//     while (rr_stream_next(stream, -1, &batch, &error) == RR_OK) {
//         rr_arrays arrays = {.size = sizeof arrays};
//         rr_batch_arrays(batch, &arrays);
//         … arrays.images, arrays.labels, arrays.index, arrays.masks …
//         rr_batch_close(batch);
//     }
//
// Functions. Each gives a status, and where it failed an `rr_error` through its last argument, which may be NULL; whoever
// gets one frees it. A function that failed has changed nothing that it was given. None ends the process, whatever the
// files hold; where no memory is left, Swift's runtime ends it. No signal handler is installed, and the library's threads
// take no signals. Text is UTF-8; text that a function gives is freed by `rr_text_free`.
//
// Handles. Any number of threads may use one at the same time, but none while it is closed, or after. What was made of a
// handle keeps what it needs of it: a dataset may be closed before its streams. Closing NULL does nothing. In a process
// that `fork` has made, handles from before it are refused with RR_USAGE, and closing them does nothing: open anew there.
//
// Options are one JSON object by the names of the command line, with `_` for `-`: `{"batch_size": 256, "shuffle": true}`.
// A flag is `true`, a number is a number, a text is what the command line takes. `null` is as if the option were not there.
//
// HDF5 files are read by a process of their own, which may do nothing but that and which a program of the same release is
// started for: see `rr_reader_set`.
//
// Stability. What a program relies on here stays: functions, their arguments and the numbers of constants. Structs begin
// with their size, which the caller sets, and grow at their end. `RR_INTERFACE_VERSION` rises as something is added.

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RR_INTERFACE_VERSION 2

// The version that the library was built with, at least the one that a program was compiled with.
int32_t rr_interface_version(void);

// The release: `rrdata 0.1.0`. Not to be freed.
const char *rr_release(void);

// MARK: What became of a call

// Those from 64 on are failures, by the exit codes of the command line.
typedef enum rr_status {
    RR_OK = 0,
    // The stream has no batch any more.
    RR_END = 1,
    // The batch was not ready within the time.
    RR_TOO_LATE = 2,
    // The stream was cancelled.
    RR_CANCELLED = 3,
    // An argument or option is wrong, or contradicts the data or another.
    RR_USAGE = 64,
    // The data cannot be used as it is: damaged, of another format, of another dataset.
    RR_BAD_DATA = 65,
    // There is no such file.
    RR_NO_INPUT = 66,
    // What nobody expected: a fault of the library.
    RR_SOFTWARE = 70,
    // The system or the disk failed, or the file was changed while it was read.
    RR_IO_ERROR = 74,
} rr_status;

typedef struct rr_error rr_error;

// The status that the failed call has given; RR_OK for NULL.
rr_status rr_error_status(const rr_error *error);

// What is wrong in a stable word, as `checksum-mismatch`; for programs. Valid until the error is freed.
const char *rr_error_code(const rr_error *error);

// What is wrong, with the figures, and what can be done about it; for people. It names the file. Valid until the error is
// freed.
const char *rr_error_message(const rr_error *error);

// The file, where known followed by the place inside it, as `masks.h5:/A`; empty where it is about none.
const char *rr_error_path(const rr_error *error);

// The row of the sample that cannot be read; −1 where the error is about none.
int64_t rr_error_sample(const rr_error *error);

void rr_error_free(rr_error *error);

void rr_text_free(char *text);

// MARK: The process that reads HDF5 files

// Names the program that is started to read an HDF5 file: `rrdata-hdf5-reader` of the same release, or `rrdata`, which takes
// longer to start. Without this call it is the first of `rrdata-hdf5-reader`, `../libexec/rrdata-hdf5-reader`, `rrdata` and
// `../bin/rrdata` that there is from the folder of this library. It gets the file open and can read nothing else, write
// nothing and start nothing; without it no HDF5 file can be opened, for the library never reads one in its own process. Who
// can write to the program can do what this process can, as with the library itself. One of another release, or none of ours,
// is told apart as a file is opened, with RR_IO_ERROR.
//
// Fails with RR_NO_INPUT where there is no program that can be run.
rr_status rr_reader_set(const char *path, rr_error **error);

// Starts the processes for HDF5 files that are opened next, such as a dataset and its masks, so that all start while the first is
// waited for. It waits for nothing itself, and what is wrong with a file is told where it is opened. Of the files that an earlier
// call has named, those that were not opened are let go; with a `count` of 0 all. Since version 2.
rr_status rr_reader_expect(const char *const *paths, size_t count, rr_error **error);

// MARK: Datasets

typedef struct rr_dataset rr_dataset;

// Opens a dataset file or a folder of images, or several as one.
//
// `options` say how a folder is read, by the names of `rrdata stream`: `labels`, `metadata`, `columns`, `split_values`,
// `splits`, `no_splits`, `masks_among_images`, `trust_links`, `color`, `depth`, `orientation`, `truncated`, `size`, `fit` and
// `background`. NULL for none.
rr_status rr_dataset_open(
    const char *const *paths, size_t count, const char *options, rr_dataset **dataset, rr_error **error);

void rr_dataset_close(rr_dataset *dataset);

// Tells what a dataset is, as a JSON object: `path`, `samples`, `channels`, `height`, `width`, `element_type` (`uint8`,
// `uint16` or `float32`), `color`, `class_count`, `class_names`, `split_names`, `group_names` (lists, or null), `has_labels`,
// `has_splits`, `has_groups`, `reads_folder` and `notes` (how the files were read, where they allow more than one reading).
rr_status rr_dataset_describe(const rr_dataset *dataset, char **json, rr_error **error);

// Tells the fingerprint, of 64 hexadecimal digits, by which masks and cursors know the dataset. Of a folder all images are
// read for it, the first time.
rr_status rr_dataset_fingerprint(const rr_dataset *dataset, char **fingerprint, rr_error **error);

// Tells the id of every sample, as a JSON list of texts.
rr_status rr_dataset_ids(const rr_dataset *dataset, char **json, rr_error **error);

typedef enum rr_list {
    RR_LABELS = 0,
    RR_SPLITS = 1,
    RR_GROUPS = 2,
} rr_list;

// Writes a number for every sample: its label, or the number of its split or group; −1 where the dataset has none.
// `room` is the number of elements that `values` can take: at least the number of samples.
rr_status rr_dataset_list(const rr_dataset *dataset, rr_list list, int64_t *values, size_t room, rr_error **error);

// MARK: Masks

typedef struct rr_masks rr_masks;

// Opens the mask set of a dataset, or of several files that are one dataset a mask set each. Masks of another dataset are
// refused.
rr_status rr_masks_open(
    const rr_dataset *dataset, const char *const *paths, size_t count, rr_masks **masks, rr_error **error);

void rr_masks_close(rr_masks *masks);

// Tells what a mask set is, as a JSON object: `samples`, `annotated`, `channels`, `height`, `width`, `mean_coverage` (of
// annotated samples) and `dataset_fingerprint`.
rr_status rr_masks_describe(const rr_masks *masks, char **json, rr_error **error);

// MARK: Arrays of samples

typedef enum rr_image_type {
    // float32: uint8 divided by 255, uint16 by 65,535, float32 as it is.
    RR_FLOAT32 = 0,
    // The dataset's own type, little-endian: `uint8`, `uint16` or `float32`.
    RR_STORED = 1,
} rr_image_type;

typedef enum rr_mask_type {
    // A byte an element, 0 or 1.
    RR_BYTES = 0,
    // A bit an element, the lowest bit of a byte first; each sample begins with a byte, and its last byte ends in zeros.
    RR_BITS = 1,
} rr_mask_type;

// Memory of the caller's, which a function fills. What is NULL is left out.
typedef struct rr_target {
    // sizeof(rr_target)
    size_t size;
    // The number of samples that every array has room for, B.
    size_t room;
    // (B, C, H, W)
    void *images;
    rr_image_type image_type;
    // The bytes from one element to the next along B, C, H and W, none negative; NULL for images that lie one after another in
    // this order. Elements need no alignment.
    const int64_t *image_strides;
    // (B): the class, −1 where there is none.
    int64_t *labels;
    // (B): the row in the dataset, −1 for a padded sample, whose image and mask are zero.
    int64_t *index;
    // (B, C, H, W) bytes, or (B, ⌈C·H·W / 8⌉) bytes of bits; all zero for a sample without a mask.
    uint8_t *masks;
    rr_mask_type mask_type;
    // As `image_strides`; not for bits.
    const int64_t *mask_strides;
    // (B): 1 where the sample has a mask that is not all zero.
    uint8_t *annotated;
} rr_target;

// Reads samples by their rows, in any order and any of them more than once, on all processor cores. `masks` may be NULL: all
// masks are then zero. `count` is at most `target->room`. After a failure it is not said which samples were written.
rr_status rr_dataset_gather(
    const rr_dataset *dataset, const rr_masks *masks, const int64_t *index, size_t count, const rr_target *target,
    rr_error **error);

// MARK: Streams

typedef struct rr_stream rr_stream;
typedef struct rr_batch rr_batch;

// Opens a stream, whose threads begin to read at once.
//
// `options` are those of `rrdata stream`: `batch_size`, which must be there, `shuffle`, `seed`, `epochs`, `split`, `drop_last`,
// `rank`, `world`, `balance`, `annotated_only`, `annotated_fraction`, `augment`, `resize_crop`, `raw`, `memory` (bytes) and
// `jobs`; `ids` is a list of texts, and `epochs` may be 0: there is no last one. `masks` may be NULL. With `resize_crop`, or
// `resized-crop` in `augment`, batches have images of another size than the dataset, which each batch tells.
//
// `cursor` is a text that `rr_stream_cursor` or the file of `rrdata stream --cursor` has: the stream goes on from there, and is
// refused where it is one of other data or options. Rank and world may be others. NULL to begin at the beginning.
rr_status rr_stream_open(
    const rr_dataset *dataset, const rr_masks *masks, const char *options, const char *cursor, rr_stream **stream,
    rr_error **error);

// Opens a stream at a place that the caller knows, as from `rr_arrays`; there is no check that it is of the same stream.
rr_status rr_stream_open_at(
    const rr_dataset *dataset, const rr_masks *masks, const char *options, int64_t epoch, int64_t position,
    rr_stream **stream, rr_error **error);

// Ends the threads; batches stay.
void rr_stream_close(rr_stream *stream);

// Tells what a stream is, as a JSON object: `split`, `batches_per_epoch`, `samples_per_epoch` (of this rank), `batches` and
// `samples` from the start on (the largest number of 64 bits where there is no end), `has_annotation` (whether the masks mark
// a pixel of any sample that it has), `epoch` and `position` where it has begun.
rr_status rr_stream_describe(const rr_stream *stream, char **json, rr_error **error);

// Waits for the next batch, `milliseconds` at most, or without a limit where that is negative.
//
// Gives RR_END after the last, RR_TOO_LATE, or RR_CANCELLED; each without an error. After a failure the stream is at its end.
rr_status rr_stream_next(rr_stream *stream, int64_t milliseconds, rr_batch **batch, rr_error **error);

// Ends a stream at once, and the waiting of every thread for it.
void rr_stream_cancel(rr_stream *stream);

// Gives the cursor of a place of the stream, as `rr_arrays` has it after a batch: JSON of less than a kilobyte, as in the file of
// `rrdata stream --cursor`.
rr_status rr_stream_cursor(const rr_stream *stream, int64_t epoch, int64_t position, char **json, rr_error **error);

// The arrays of a batch where they are, without a copy. The memory is the batch's until it is closed, and nobody else's: it may
// be written to.
typedef struct rr_arrays {
    // sizeof(rr_arrays)
    size_t size;
    // B, padded samples included, C, H and W.
    int64_t count, channels, height, width;
    // (B, C, H, W), contiguous: float32, or the dataset's own type for a stream of `raw` images.
    void *images;
    rr_image_type image_type;
    // (B), as in `rr_target`.
    int64_t *labels;
    int64_t *index;
    // (B, C, H, W), contiguous; NULL where the stream has no masks.
    uint8_t *masks;
    // (B)
    uint8_t *annotated;
    // The epoch, and the number of the batch within it, from 0.
    int64_t epoch, step;
    // Where the stream goes on after this batch.
    int64_t next_epoch, next_position;
} rr_arrays;

rr_status rr_batch_arrays(const rr_batch *batch, rr_arrays *arrays);

// Copies a batch into memory of the caller's. Fails with RR_USAGE where there is no room, or images are asked for in another
// type than the stream has.
rr_status rr_batch_copy(const rr_batch *batch, const rr_target *target, rr_error **error);

// The stream uses the memory for a later batch.
void rr_batch_close(rr_batch *batch);

// MARK: Validation

// Judges a dataset file, and mask sets by themselves and as its masks, as `rrdata validate` does: a JSON object with `valid`,
// `faults`, `warnings` and `findings`, a list of objects with `code`, `severity` (`fault` or `warning`), `path`, `message` and
// `repair` (what can be done, in a word of the library, or null). That there are faults is no failure of the call.
//
// `deep` is other than 0 to read every image; else 256 MB of them are read, spread evenly.
rr_status rr_validate(
    const char *dataset, const char *const *masks, size_t mask_count, int32_t deep, char **json, rr_error **error);

#ifdef __cplusplus
}
#endif

#endif
