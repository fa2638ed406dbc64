// Names programs that read HDF5 files: one that does not, one of another release, and the command. Then has them started ahead.
//
//     reader DATASET MASKS COMMAND
#include "checks.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static rr_error *error = NULL;

// Writes a script that says something on the line to who started it.
static void write_script(const char *path, const char *said) {
    FILE *file = fopen(path, "w");
    CHECK(file != NULL);
    fprintf(file, "#!/bin/sh\nprintf '%s' >&3\n", said);
    CHECK(fclose(file) == 0 && chmod(path, 0755) == 0);
}

// The number of processes that this one has started and not waited for.
static int children(void) {
    DIR *processes = opendir("/proc");
    CHECK(processes != NULL);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(processes)) != NULL;) {
        char path[300], state;
        int parent = 0;
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        FILE *file = fopen(path, "r");
        if (file == NULL) { continue; }
        // The name in parentheses has no space in it.
        if (fscanf(file, "%*d %*s %c %d", &state, &parent) == 2 && parent == getpid()) { count++; }
        fclose(file);
    }
    closedir(processes);
    return count;
}

// A copy of the process opens the file by a reader of its own, and leaves the one that is expected here.
static void check_fork(const char *path) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        rr_dataset *dataset = NULL;
        CHECK(rr_dataset_open(&path, 1, NULL, &dataset, &error) == RR_OK && children() == 0);
        CHECK(rr_reader_expect(&path, 1, &error) == RR_OK && children() == 1);
        rr_dataset_close(dataset);
        CHECK(rr_reader_expect(NULL, 0, &error) == RR_OK && children() == 0);
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(children() == 2);
}

int main(int count, char **words) {
    if (count != 4) { return 64; }
    const char *path = words[1], *masks = words[2], *command = words[3];
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

    // What is expected of another program is of no use for this one.
    CHECK(rr_reader_expect(&path, 1, &error) == RR_OK && children() == 1);
    CHECK(rr_reader_set(command, &error) == RR_OK && children() == 0);
    CHECK(rr_dataset_open(&path, 1, NULL, &dataset, &error) == RR_OK);
    rr_dataset_close(dataset);

    // Started once, whether they are opened or not. A file that can be read past libhdf5 needs none once it is open.
    const char *expected[] = {path, "missing.h5", "nonsense", masks};
    CHECK(rr_reader_expect(expected, 4, &error) == RR_OK && error == NULL && children() == 2);
    CHECK(rr_reader_expect(expected, 4, &error) == RR_OK && children() == 2);
    check_fork(path);
    CHECK(rr_dataset_open(&path, 1, NULL, &dataset, &error) == RR_OK && children() == 1);
    CHECK(rr_reader_expect(NULL, 0, &error) == RR_OK && children() == 0);
    rr_masks *opened = NULL;
    CHECK(rr_masks_open(dataset, &masks, 1, &opened, &error) == RR_OK);
    rr_masks_close(opened);
    rr_dataset_close(dataset);
    CHECK(children() == 0);
    CHECK_FAILS(rr_reader_expect(NULL, 1, &error), RR_USAGE, "invalid-option", "path is NULL");
    puts("all holds");
    return 0;
}
