// Names programs that read HDF5 files: one that does not, one of another release, and the command.
//
//     reader DATASET COMMAND
#include "checks.h"

#include <sys/stat.h>

static rr_error *error = NULL;

// Writes a script that says something on the line to who started it.
static void write_script(const char *path, const char *said) {
    FILE *file = fopen(path, "w");
    CHECK(file != NULL);
    fprintf(file, "#!/bin/sh\nprintf '%s' >&3\n", said);
    CHECK(fclose(file) == 0 && chmod(path, 0755) == 0);
}

int main(int count, char **words) {
    if (count != 3) { return 64; }
    const char *path = words[1], *command = words[2];
    rr_dataset *dataset = NULL;

    CHECK(rr_reader_set("/bin/true", &error) == RR_OK);
    CHECK_FAILS(
        rr_dataset_open(&path, 1, NULL, &dataset, &error), RR_IO_ERROR, "cannot-read", "the program /bin/true that is to read");

    // Its length, then its name.
    write_script("./other", "\\014\\000\\000\\000\\000\\000\\000\\000rrdata 0.0.9");
    CHECK(rr_reader_set("./other", &error) == RR_OK);
    CHECK_FAILS(
        rr_dataset_open(&path, 1, NULL, &dataset, &error), RR_IO_ERROR, "cannot-read", "is of another release, rrdata 0.0.9");
    write_script("./nonsense", "what do you want?");
    CHECK(rr_reader_set("./nonsense", &error) == RR_OK);
    CHECK_FAILS(
        rr_dataset_open(&path, 1, NULL, &dataset, &error), RR_IO_ERROR, "cannot-read", "must be of the same release");

    CHECK(rr_reader_set(command, &error) == RR_OK);
    CHECK(rr_dataset_open(&path, 1, NULL, &dataset, &error) == RR_OK);
    rr_dataset_close(dataset);
    puts("all holds");
    return 0;
}
