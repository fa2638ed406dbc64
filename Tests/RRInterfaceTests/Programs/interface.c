// Goes through the interface: what each function gives, and how each refuses.
//
//     interface DATASET MASKS OTHER-DATASET FOLDER
//
// The dataset has 7 samples of 3 classes in 2 splits, (2, 5, 4) uint8, of which 1, 4 and 6 have a mask.
#include "checks.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SAMPLES = 7, CHANNELS = 2, HEIGHT = 5, WIDTH = 4, ELEMENTS = CHANNELS * HEIGHT * WIDTH };

static rr_error *error = NULL;

static rr_dataset *opened(const char *path) {
    rr_dataset *dataset = NULL;
    CHECK(rr_dataset_open(&path, 1, NULL, &dataset, &error) == RR_OK);
    CHECK(dataset != NULL && error == NULL);
    return dataset;
}

static rr_masks *masks_of(rr_dataset *dataset, const char *path) {
    rr_masks *masks = NULL;
    CHECK(rr_masks_open(dataset, &path, 1, &masks, &error) == RR_OK);
    return masks;
}

static rr_stream *streamed(rr_dataset *dataset, rr_masks *masks, const char *options) {
    rr_stream *stream = NULL;
    CHECK(rr_stream_open(dataset, masks, options, NULL, &stream, &error) == RR_OK);
    return stream;
}

static void check_opening(const char *path, const char *other, const char *folder) {
    rr_dataset *dataset = NULL;
    const char *missing = "missing.h5";
    CHECK_FAILS(rr_dataset_open(&missing, 1, NULL, &dataset, &error), RR_NO_INPUT, "not-found", "missing.h5");
    CHECK_FAILS(rr_dataset_open(NULL, 1, NULL, &dataset, &error), RR_USAGE, "invalid-option", "path is NULL");
    CHECK_FAILS(rr_dataset_open(&path, 0, NULL, &dataset, &error), RR_BAD_DATA, "empty", "no dataset");
    CHECK_FAILS(rr_dataset_open(&path, 1, NULL, NULL, &error), RR_USAGE, "invalid-option", "place for the result");
    CHECK_FAILS(rr_dataset_open(&path, 1, "{", &dataset, &error), RR_USAGE, "invalid-option", "no JSON");
    CHECK_FAILS(rr_dataset_open(&path, 1, "[1]", &dataset, &error), RR_USAGE, "invalid-option", "not an object");
    CHECK_FAILS(
        rr_dataset_open(&path, 1, "{\"colour\": \"rgb\"}", &dataset, &error), RR_USAGE, "invalid-option",
        "there is no option colour");
    CHECK_FAILS(
        rr_dataset_open(&path, 1, "{\"color\": \"blue\"}", &dataset, &error), RR_USAGE, "invalid-option",
        "color takes one of auto, gray, rgb");
    CHECK_FAILS(
        rr_dataset_open(&path, 1, "{\"color\": \"rgb\"}", &dataset, &error), RR_USAGE, "invalid-option",
        "leave them out");
    CHECK_FAILS(
        rr_dataset_open(&folder, 1, "{\"fit\": \"pad\"}", &dataset, &error), RR_USAGE, "invalid-option",
        "fit goes with size");
    CHECK(rr_dataset_open(&missing, 1, NULL, &dataset, NULL) == RR_NO_INPUT);
    CHECK(dataset == NULL);

    const char *both[] = {path, other};
    CHECK_FAILS(rr_dataset_open(both, 2, NULL, &dataset, &error), RR_BAD_DATA, "duplicate-id", "two samples");

    CHECK(rr_dataset_open(&folder, 1, "{\"size\": \"8x6\", \"color\": \"gray\"}", &dataset, &error) == RR_OK);
    char *json = NULL;
    CHECK(rr_dataset_describe(dataset, &json, &error) == RR_OK);
    CHECK(strstr(json, "\"height\":8") != NULL && strstr(json, "\"reads_folder\":true") != NULL);
    rr_text_free(json);
    rr_dataset_close(dataset);
}

static void check_facts(rr_dataset *dataset, rr_masks *masks) {
    char *text = NULL;
    CHECK(rr_dataset_describe(dataset, &text, &error) == RR_OK);
    CHECK(strstr(text, "\"samples\":7") != NULL);
    CHECK(strstr(text, "\"class_names\":[\"coat\",\"bag\",\"boot\"]") != NULL);
    CHECK(strstr(text, "\"split_names\":[\"train\",\"test\"]") != NULL);
    CHECK(strstr(text, "\"element_type\":\"uint8\"") != NULL);
    rr_text_free(text);
    CHECK(rr_dataset_fingerprint(dataset, &text, &error) == RR_OK);
    CHECK(strlen(text) == 64);
    rr_text_free(text);
    CHECK(rr_dataset_ids(dataset, &text, &error) == RR_OK);
    CHECK(strncmp(text, "[\"sample", 8) == 0);
    rr_text_free(text);
    CHECK(rr_masks_describe(masks, &text, &error) == RR_OK);
    CHECK(strstr(text, "\"annotated\":3") != NULL);
    rr_text_free(text);

    int64_t values[SAMPLES];
    const int64_t labels[SAMPLES] = {0, 1, 2, 0, 1, 2, 0}, splits[SAMPLES] = {0, 0, 0, 0, 1, 1, 1};
    CHECK(rr_dataset_list(dataset, RR_LABELS, values, SAMPLES, &error) == RR_OK);
    CHECK(memcmp(values, labels, sizeof labels) == 0);
    CHECK(rr_dataset_list(dataset, RR_SPLITS, values, SAMPLES, &error) == RR_OK);
    CHECK(memcmp(values, splits, sizeof splits) == 0);
    CHECK(rr_dataset_list(dataset, RR_GROUPS, values, SAMPLES, &error) == RR_OK);
    CHECK(values[0] == -1 && values[6] == -1);
    CHECK_FAILS(rr_dataset_list(dataset, RR_LABELS, values, 6, &error), RR_USAGE, "invalid-option", "room for 6");
    CHECK_FAILS(rr_dataset_list(dataset, (rr_list)9, values, 7, &error), RR_USAGE, "invalid-option", "no list 9");
    CHECK_FAILS(rr_dataset_list(NULL, RR_LABELS, values, 7, &error), RR_USAGE, "invalid-option", "dataset is NULL");
}

static void check_gathering(rr_dataset *dataset, rr_masks *masks) {
    // In any order, and one of them twice.
    const int64_t index[4] = {6, 1, 0, 6};
    uint8_t stored[4][ELEMENTS], mask[4][ELEMENTS], bits[4][(ELEMENTS + 7) / 8], annotated[4];
    float floats[4][ELEMENTS];
    int64_t labels[4], rows[4];
    rr_target target = {.size = sizeof target, .room = 4, .images = stored, .image_type = RR_STORED};
    CHECK(rr_dataset_gather(dataset, NULL, index, 4, &target, &error) == RR_OK);
    for (int place = 0; place < 4; place++) {
        for (int element = 0; element < ELEMENTS; element++) {
            CHECK(stored[place][element] == (uint8_t)(index[place] * 37 + element * 11));
        }
    }
    target = (rr_target){
        .size = sizeof target, .room = 4, .images = floats, .labels = labels, .index = rows, .masks = mask[0],
        .annotated = annotated};
    CHECK(rr_dataset_gather(dataset, masks, index, 4, &target, &error) == RR_OK);
    for (int place = 0; place < 4; place++) {
        CHECK(labels[place] == (index[place] == 1) && rows[place] == index[place]);
        CHECK(annotated[place] == (index[place] != 0));
        for (int element = 0; element < ELEMENTS; element++) {
            CHECK(floats[place][element] == (float)stored[place][element] / 255);
            // A mask of one channel is for each of the image's.
            int is_marked = annotated[place] && element % (HEIGHT * WIDTH) == index[place];
            CHECK(mask[place][element] == is_marked);
        }
    }
    target = (rr_target){.size = sizeof target, .room = 4, .masks = bits[0], .mask_type = RR_BITS};
    CHECK(rr_dataset_gather(dataset, masks, index, 4, &target, &error) == RR_OK);
    for (int place = 0; place < 4; place++) {
        for (int element = 0; element < ELEMENTS; element++) {
            CHECK((bits[place][element / 8] >> element % 8 & 1) == mask[place][element]);
        }
    }
    // The last dimension is that of channels, and nothing is aligned.
    static uint8_t spread_memory[4 * ELEMENTS * sizeof(float) + 1];
    uint8_t *spread = spread_memory + 1, spread_mask[4][ELEMENTS];
    const int64_t size = sizeof(float);
    const int64_t strides[4] = {ELEMENTS * size, size, WIDTH * CHANNELS * size, CHANNELS * size};
    const int64_t mask_strides[4] = {ELEMENTS, 1, WIDTH * CHANNELS, CHANNELS};
    target = (rr_target){
        .size = sizeof target, .room = 4, .images = spread, .image_strides = strides, .masks = spread_mask[0],
        .mask_strides = mask_strides};
    CHECK(rr_dataset_gather(dataset, masks, index, 4, &target, &error) == RR_OK);
    for (int place = 0; place < 4; place++) {
        for (int element = 0; element < ELEMENTS; element++) {
            int channel = element / (HEIGHT * WIDTH), pixel = element % (HEIGHT * WIDTH);
            float value;
            memcpy(&value, spread + (place * ELEMENTS + pixel * CHANNELS + channel) * size, sizeof value);
            CHECK(value == floats[place][element]);
            CHECK(spread_mask[place][pixel * CHANNELS + channel] == mask[place][element]);
        }
    }
    // Contiguous, but not where floats may lie.
    target = (rr_target){.size = sizeof target, .room = 4, .images = spread};
    CHECK(rr_dataset_gather(dataset, NULL, index, 4, &target, &error) == RR_OK);
    CHECK(memcmp(spread, floats, sizeof floats) == 0);

    CHECK_FAILS(rr_dataset_gather(dataset, NULL, index, 5, &target, &error), RR_USAGE, "invalid-option", "room for 4");
    const int64_t wrong[1] = {7}, negative[1] = {-1}, backward[4] = {ELEMENTS, 1, 1, -1};
    CHECK_FAILS(
        rr_dataset_gather(dataset, NULL, wrong, 1, &target, &error), RR_BAD_DATA, "index-out-of-range",
        "there is no sample 7; the samples are 0 to 6");
    target.images = NULL;
    CHECK_FAILS(
        rr_dataset_gather(dataset, NULL, negative, 1, &target, &error), RR_BAD_DATA, "index-out-of-range", "sample -1");
    target.image_strides = backward;
    CHECK_FAILS(rr_dataset_gather(dataset, NULL, index, 1, &target, &error), RR_USAGE, "invalid-option", "stride");
    target = (rr_target){.size = 8};
    CHECK_FAILS(rr_dataset_gather(dataset, NULL, index, 1, &target, &error), RR_USAGE, "invalid-option", "sizeof");
    CHECK_FAILS(rr_dataset_gather(dataset, NULL, index, 1, NULL, &error), RR_USAGE, "invalid-option", "target is NULL");
}

static void check_batches(rr_dataset *dataset, rr_masks *masks) {
    rr_stream *stream = NULL;
    rr_batch *first = NULL, *second = NULL;
    CHECK_FAILS(
        rr_stream_open(dataset, NULL, "{\"shuffle\": true}", NULL, &stream, &error), RR_USAGE, "invalid-option",
        "batch_size");
    CHECK_FAILS(
        rr_stream_open(dataset, NULL, "{\"batch_size\": 0}", NULL, &stream, &error), RR_USAGE, "invalid-option",
        "at least 1");
    CHECK_FAILS(
        rr_stream_open(dataset, NULL, "{\"batch_size\": 2, \"split\": \"dev\"}", NULL, &stream, &error), RR_USAGE,
        "unknown-split", "train, test");
    CHECK_FAILS(
        rr_stream_open(dataset, NULL, "{\"batch_size\": 2}", "{}", &stream, &error), RR_BAD_DATA, "malformed", "cursor");
    CHECK_FAILS(
        rr_stream_open_at(dataset, NULL, "{\"batch_size\": 2}", 3, 0, &stream, &error), RR_BAD_DATA,
        "value-out-of-range", "epoch 3");

    stream = streamed(dataset, masks, "{\"batch_size\": 2, \"split\": \"all\", \"epochs\": 2}");
    char *json = NULL;
    CHECK(rr_stream_describe(stream, &json, &error) == RR_OK);
    CHECK(strstr(json, "\"batches\":8") != NULL && strstr(json, "\"samples\":14") != NULL);
    rr_text_free(json);
    // A batch that is kept stays as it is, and as its owner changes it.
    CHECK(rr_stream_next(stream, -1, &first, &error) == RR_OK);
    rr_arrays arrays = {.size = sizeof arrays}, later = {.size = sizeof later};
    CHECK(rr_batch_arrays(first, &arrays) == RR_OK);
    CHECK(arrays.count == 2 && arrays.channels == 2 && arrays.height == 5 && arrays.width == 4);
    CHECK(arrays.epoch == 0 && arrays.step == 0 && arrays.next_epoch == 0 && arrays.next_position == 2);
    CHECK(arrays.index[0] == 0 && arrays.index[1] == 1 && arrays.annotated[0] == 0 && arrays.annotated[1] == 1);
    memset(arrays.images, 0xFF, 2 * ELEMENTS * sizeof(float));
    memset(arrays.masks, 7, 2 * ELEMENTS);
    arrays.labels[0] = 99;
    for (int number = 1; number < 8; number++) {
        CHECK(rr_stream_next(stream, 60000, &second, &error) == RR_OK);
        CHECK(rr_batch_arrays(second, &later) == RR_OK);
        CHECK(later.images != arrays.images && later.masks != arrays.masks && later.labels != arrays.labels);
        CHECK(later.index[0] == number % 4 * 2 && later.epoch == number / 4);
        for (int element = 0; element < ELEMENTS; element++) { CHECK(later.masks[element] <= 1); }
        rr_batch_close(second);
    }
    CHECK(arrays.masks[0] == 7 && arrays.labels[0] == 99);
    CHECK(rr_stream_next(stream, -1, &second, &error) == RR_END && second == NULL && error == NULL);
    CHECK(rr_stream_next(stream, -1, &second, &error) == RR_END);

    uint8_t copied[2][ELEMENTS];
    rr_target target = {.size = sizeof target, .room = 2, .masks = copied[0]};
    CHECK(rr_batch_copy(first, &target, &error) == RR_OK);
    CHECK(copied[1][ELEMENTS - 1] == 7);
    target.room = 1;
    CHECK_FAILS(rr_batch_copy(first, &target, &error), RR_USAGE, "invalid-option", "room for 1");
    target = (rr_target){.size = sizeof target, .room = 2, .images = copied, .image_type = RR_STORED};
    CHECK_FAILS(rr_batch_copy(first, &target, &error), RR_USAGE, "invalid-option", "as float32");
    arrays.size = 8;
    CHECK(rr_batch_arrays(first, &arrays) == RR_USAGE);
    rr_batch_close(first);
    rr_stream_close(stream);
}

typedef struct {
    rr_stream *stream;
    int seen[SAMPLES];
    rr_status status;
} consumer;

static void *consume(void *argument) {
    consumer *own = argument;
    rr_batch *batch = NULL;
    while ((own->status = rr_stream_next(own->stream, -1, &batch, NULL)) == RR_OK) {
        rr_arrays arrays = {.size = sizeof arrays};
        rr_batch_arrays(batch, &arrays);
        for (int64_t place = 0; place < arrays.count; place++) { own->seen[arrays.index[place]]++; }
        rr_batch_close(batch);
    }
    return NULL;
}

static void check_threads(rr_dataset *dataset, rr_masks *masks) {
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    consumer consumers[THREADS] = {0};
    rr_stream *stream =
        streamed(dataset, masks, "{\"batch_size\": 2, \"split\": \"all\", \"epochs\": 300, \"shuffle\": true}");
    for (int number = 0; number < THREADS; number++) {
        consumers[number].stream = stream;
        CHECK(pthread_create(&threads[number], NULL, consume, &consumers[number]) == 0);
    }
    int seen[SAMPLES] = {0};
    for (int number = 0; number < THREADS; number++) {
        CHECK(pthread_join(threads[number], NULL) == 0 && consumers[number].status == RR_END);
        for (int sample = 0; sample < SAMPLES; sample++) { seen[sample] += consumers[number].seen[sample]; }
    }
    for (int sample = 0; sample < SAMPLES; sample++) { CHECK(seen[sample] == 300); }
    rr_stream_close(stream);

    // One that has no end, until it is cancelled.
    consumer endless = {.stream = streamed(dataset, masks, "{\"batch_size\": 2, \"epochs\": 0}")};
    CHECK(pthread_create(&threads[0], NULL, consume, &endless) == 0);
    usleep(50000);
    rr_stream_cancel(endless.stream);
    CHECK(pthread_join(threads[0], NULL) == 0 && endless.status == RR_CANCELLED);
    CHECK(endless.seen[0] > 0);
    rr_stream_close(endless.stream);
    rr_stream_cancel(NULL);
}

static void check_fork(const char *path, rr_dataset *dataset, rr_stream *stream) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        rr_batch *batch = NULL;
        char *json = NULL;
        CHECK_FAILS(rr_stream_next(stream, -1, &batch, &error), RR_USAGE, "invalid-option", "forked");
        CHECK_FAILS(rr_dataset_describe(dataset, &json, &error), RR_USAGE, "invalid-option", "forked");
        rr_stream_close(stream);
        rr_dataset_close(dataset);
        rr_dataset *own = opened(path);
        rr_stream *other = streamed(own, NULL, "{\"batch_size\": 3, \"split\": \"all\"}");
        int count = 0;
        while (rr_stream_next(other, -1, &batch, &error) == RR_OK) {
            count++;
            rr_batch_close(batch);
        }
        CHECK(count == 3 && error == NULL);
        rr_stream_close(other);
        rr_dataset_close(own);
        // A copy of the process has lost what only the threads of the original referred to: who looks for leaks at its end, as
        // valgrind does, finds that. So it ends as another program.
        execl("/bin/true", "true", (char *)NULL);
        _exit(1);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    // What the child closed is open here.
    rr_batch *batch = NULL;
    CHECK(rr_stream_next(stream, -1, &batch, &error) == RR_OK);
    rr_batch_close(batch);
}

static void check_validation(const char *path, const char *masks, const char *other) {
    char *json = NULL;
    CHECK(rr_validate(path, &masks, 1, 1, &json, &error) == RR_OK);
    CHECK(strstr(json, "\"valid\":true") != NULL && strstr(json, "\"faults\":0") != NULL);
    rr_text_free(json);
    CHECK(rr_validate(other, &masks, 1, 0, &json, &error) == RR_OK);
    CHECK(strstr(json, "\"code\":\"other-dataset\"") != NULL && strstr(json, "\"valid\":false") != NULL);
    CHECK(strstr(json, "\"repair\":\"give-dataset-of-masks\"") != NULL);
    rr_text_free(json);
    CHECK_FAILS(rr_validate("missing.h5", NULL, 0, 0, &json, &error), RR_NO_INPUT, "not-found", "missing.h5");
}

// A host's signals are its own; the address sanitizer has handlers in every program.
static void check_signals(void) {
#if !__has_feature(address_sanitizer)
    for (int number = 1; number < 32; number++) {
        struct sigaction action;
        if (number != SIGKILL && number != SIGSTOP) {
            CHECK(sigaction(number, NULL, &action) == 0);
            CHECK(action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN);
        }
    }
#endif
}

int main(int count, char **words) {
    if (count != 5) { return 64; }
    const char *path = words[1], *mask_path = words[2], *other = words[3], *folder = words[4];
    CHECK(rr_interface_version() >= RR_INTERFACE_VERSION);
    CHECK(strncmp(rr_release(), "rrdata ", 7) == 0);
    CHECK(rr_error_status(NULL) == RR_OK && rr_error_message(NULL) == NULL && rr_error_sample(NULL) == -1);
    rr_error_free(NULL);
    rr_dataset_close(NULL);
    CHECK_FAILS(rr_reader_set("/missing/rrdata", &error), RR_NO_INPUT, "not-found", "/missing/rrdata");

    check_opening(path, other, folder);
    rr_dataset *dataset = opened(path), *other_dataset = opened(other);
    rr_masks *masks = masks_of(dataset, mask_path), *none = NULL;
    CHECK_FAILS(
        rr_masks_open(other_dataset, &mask_path, 1, &none, &error), RR_BAD_DATA, "other-dataset",
        "made for another dataset");
    CHECK_FAILS(rr_masks_open(dataset, &mask_path, 0, &none, &error), RR_USAGE, "invalid-option", "no mask set");
    check_facts(dataset, masks);
    check_gathering(dataset, masks);
    check_batches(dataset, masks);
    check_threads(dataset, masks);
    rr_stream *stream = streamed(dataset, masks, "{\"batch_size\": 2, \"epochs\": 0}");
    check_fork(path, dataset, stream);
    check_validation(path, mask_path, other);
    rr_stream_close(stream);
    rr_masks_close(masks);
    rr_dataset_close(dataset);
    rr_dataset_close(other_dataset);

    check_signals();
    puts("all holds");
    return 0;
}
