// What the system allows: samples of a file in random order, by pread on threads, divided by 255 into floats.
//
//     cc -O3 -pthread pread_convert.c -o pread_convert && ./pread_convert FILE OFFSET SIZE COUNT THREADS
//
// Prints samples a second.

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int file;
static long offset, size, count, *order;
static atomic_long next;

static void *work(void *unused) {
    (void)unused;
    unsigned char *bytes = malloc(size);
    // As a loader has it: a batch of 32 images, four batches in turn.
    float *images = malloc(128 * size * sizeof(float));
    for (long place = 0;; place = (place + 1) % 128) {
        long position = atomic_fetch_add(&next, 1);
        if (position >= count) break;
        if (pread(file, bytes, size, offset + order[position] * size) != size) exit(1);
        float *image = images + place * size;
        for (long element = 0; element < size; element++) image[element] = bytes[element] / 255.0f;
    }
    free(bytes);
    free(images);
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 6 || (file = open(argv[1], O_RDONLY)) < 0) return 1;
    offset = atol(argv[2]), size = atol(argv[3]), count = atol(argv[4]);
    int threads = atoi(argv[5]);
    order = malloc(count * sizeof(long));
    for (long i = 0; i < count; i++) order[i] = i;
    for (long i = count - 1; i > 0; i--) {
        long j = random() % (i + 1), other = order[i];
        order[i] = order[j], order[j] = other;
    }
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    pthread_t workers[64];
    for (int i = 0; i < threads && i < 64; i++) pthread_create(&workers[i], NULL, work, NULL);
    for (int i = 0; i < threads && i < 64; i++) pthread_join(workers[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%f\n", count / (end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) * 1e-9));
    return 0;
}
