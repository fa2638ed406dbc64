import Foundation
import TestSupport
import Testing

@Suite("rrdata stream, for other programs")
struct StreamCommandTests {
    private static let stream = [
        "stream", "decoy.h5", "--masks", "masks.h5", "--batch-size", "7", "--shuffle", "--split", "all",
    ]

    /// Runs lines of a shell that finds `rrdata`.
    private func shell(_ lines: String, in folder: String) throws -> ChildProcess.Outcome {
        try ChildProcess.run(
            "/usr/bin/env", ["bash", "-c", lines], in: folder, searchingFirst: [CommandLineTool.folder])
    }

    /// The four arrays of each batch of `--format npy`, without their headers.
    private func arrays(of output: Data) throws -> [Data] {
        var rest = output
        var arrays: [Data] = []
        while !rest.isEmpty {
            let header = String(decoding: rest.prefix(128), as: UTF8.self)
            let size = try #require(["|u1": 1, "<f4": 4, "<i8": 8].first { header.contains($0.key) }?.value)
            let shape = try #require(header.split(separator: "(").last?.split(separator: ")").first)
            let count = shape.split(separator: ",").compactMap { Int($0.filter(\.isNumber)) }.reduce(1, *)
            rest = rest.dropFirst(128)
            arrays.append(Data(rest.prefix(size * count)))
            rest = rest.dropFirst(size * count)
        }
        return arrays
    }

    @Test("--raw gives the stored bytes of the same samples, whose quotients by 255 are the floats")
    func raw() throws {
        let folder = try Workshop.shared.get().path
        let floats = try arrays(
            of: CommandLineTool.run(Self.stream + ["--format", "npy"], in: folder).output)
        let raw = try arrays(
            of: CommandLineTool.run(
                Self.stream + ["--format", "npy", "--raw", "--jobs", "3", "--memory", "1M"], in: folder
            ).output)
        #expect(floats.count == 4 * 26 && raw.count == floats.count)
        for position in floats.indices {
            guard position % 4 == 0 else {
                #expect(raw[position] == floats[position])
                continue
            }
            let expected = raw[position].map { Float($0) / 255 }.withUnsafeBytes { Data($0) }
            #expect(floats[position] == expected)
            #expect(raw[position].contains { $0 > 0 })
        }
    }

    @Test(
        "--format webdataset is a tar archive with the arrays, class and index of each sample",
        arguments: [false, true])
    func webdataset(isRaw: Bool) throws {
        let workshop = try Workshop.shared.get().path
        let options = isRaw ? ["--raw"] : []
        let archive = try CommandLineTool.run(
            Self.stream + options + ["--format", "webdataset"], in: workshop)
        #expect(archive.status == 0, "\(archive.errors)")
        let batches = try arrays(
            of: CommandLineTool.run(Self.stream + options + ["--format", "npy"], in: workshop).output)
        let folder = try TemporaryFolder()
        try archive.output.write(to: URL(filePath: folder.path("stream.tar")))
        let outcome = try ChildProcess.run(
            "/usr/bin/env", ["tar", "-xf", "stream.tar", "--one-top-level=out"], in: folder.path)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path("out")).count
                == 4 * Workshop.sampleCount)
        func member(_ sample: Int, _ name: String) throws -> Data {
            let digits = String(repeating: "0", count: 9 - "\(sample)".count) + "\(sample)"
            return try Data(contentsOf: URL(filePath: folder.path("out/\(digits).\(name)")))
        }
        for sample in 0..<Workshop.sampleCount {
            let (batch, row) = sample.quotientAndRemainder(dividingBy: 7)
            let names: [(String, Int)] = [("image.npy", 0), ("mask.npy", 3)]
            for (name, array) in names {
                let bytes = batches[batch * 4 + array]
                let size = bytes.count / min(7, Workshop.sampleCount - batch * 7)
                let part = Data(bytes.dropFirst(row * size).prefix(size))
                #expect(try Data(member(sample, name).dropFirst(128)) == part)
            }
            let numbers: [(String, Int)] = [("cls", 1), ("index", 2)]
            for (name, array) in numbers {
                let number = batches[batch * 4 + array].withUnsafeBytes {
                    $0.loadUnaligned(fromByteOffset: row * 8, as: Int64.self)
                }
                #expect(try String(decoding: member(sample, name), as: UTF8.self) == "\(number)")
            }
        }
    }

    @Test("a reader that has had enough ends the stream without a word", arguments: ["npy", "webdataset"])
    func closedPipe(format: String) throws {
        let outcome = try shell(
            "rrdata \(Self.stream.joined(separator: " ")) --epochs 100000 --format \(format) | head -c 1000 | wc -c; "
                + "echo ${PIPESTATUS[0]}",
            in: Workshop.shared.get().path)
        #expect(outcome.text == "1000\n0\n")
        #expect(outcome.errors.isEmpty)
    }

    @Test("a file that is written to under the stream ends it with 74 and the sample's id")
    func changedFile() throws {
        let folder = try TemporaryFolder()
        try Workshop.bytes("decoy.h5").write(to: URL(filePath: folder.path("d.h5")))
        let outcome = try shell(
            "rrdata stream d.h5 --batch-size 7 --split all --epochs 1000000000 --format null & sleep 0.5; "
                + "printf x | dd of=d.h5 bs=1 seek=9000 conv=notrunc status=none; wait $!; echo $?",
            in: folder.path)
        #expect(outcome.text == "74\n")
        #expect(outcome.errors.contains("/images: sample ") || outcome.errors.contains("d.h5: sample "))
        #expect(outcome.errors.contains("(“") && outcome.errors.contains("was written to"))
    }

    @Test("memory and threads out of range are usage errors")
    func usage() throws {
        let folder = try Workshop.shared.get().path
        for options in [["--memory", "12X"], ["--memory", "0"], ["--memory", "100K"], ["--jobs", "0"]] {
            let outcome = try CommandLineTool.run(Self.stream + ["--format", "null"] + options, in: folder)
            let isTooSmall = options[1] == "100K"
            #expect(outcome.status == (isTooSmall ? 0 : 64), "\(options): \(outcome.errors)")
        }
        let outcome = try CommandLineTool.run(
            Self.stream + ["--format", "null", "--memory", "10K"], in: folder)
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains("give more memory"))
    }

    /// Counts the calls that allocate memory and the blocks that are never freed, and tells at the end of the process.
    private static let counter = """
        #include <errno.h>
        #include <stdatomic.h>
        #include <stddef.h>
        #include <stdio.h>
        extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), __libc_free(void *);
        extern void *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);
        static atomic_long count, freed;
        void *malloc(size_t n) { count++; return __libc_malloc(n); }
        void *calloc(size_t n, size_t s) { count++; return __libc_calloc(n, s); }
        void *realloc(void *p, size_t n) { count++; freed += p != NULL; return __libc_realloc(p, n); }
        void *memalign(size_t a, size_t n) { count++; return __libc_memalign(a, n); }
        void *aligned_alloc(size_t a, size_t n) { count++; return __libc_memalign(a, n); }
        int posix_memalign(void **p, size_t a, size_t n) {
            count++;
            return (*p = __libc_memalign(a, n)) ? 0 : ENOMEM;
        }
        void free(void *p) { freed += p != NULL; __libc_free(p); }
        __attribute__((destructor)) static void tell(void) { fprintf(stderr, "%ld %ld", count, count - freed); }
        """

    #if DEBUG
        /// Without optimisation Swift itself allocates for every sample; what stays allocated shows the stream's own.
        private static let counted = 1
    #else
        private static let counted = 0
    #endif

    private static let hasCompiler =
        (try? ChildProcess.run("/usr/bin/env", ["cc", "--version"], in: "/").status) == 0

    @Test(
        "nothing is allocated once the stream is under way",
        .enabled(if: hasCompiler, "the counter of allocations is a few lines of C"),
        arguments: ["", "--raw", "--memory 200K"])
    func allocations(options: String) throws {
        let folder = try TemporaryFolder()
        try folder.write(Array(Self.counter.utf8), to: "counter.c")
        #expect(try shell("cc -shared -fPIC counter.c -o counter.so", in: folder.path).status == 0)
        var counts: [Int] = []
        for epochs in [3, 200] {
            let outcome = try shell(
                "LD_PRELOAD=\(folder.path("counter.so")) rrdata \(Self.stream.joined(separator: " ")) "
                    + "--format null --epochs \(epochs) \(options)",
                in: Workshop.shared.get().path)
            #expect(outcome.status == 0, "\(outcome.errors)")
            let numbers = outcome.errors.split(separator: " ").compactMap { Int($0) }
            try #require(numbers.count == 2, "\(outcome.errors)")
            counts.append(numbers[Self.counted])
        }
        // The longer stream has 5,122 batches more, and one allocation for each would show ten times over. How many
        // storages there are depends on timing, and so do the system's own threads.
        #expect(counts[0] > 0 && abs(counts[1] - counts[0]) < 512, "\(counts)")
    }

    private static let hasNumPy =
        (try? ChildProcess.run("/usr/bin/env", ["python3", "-c", "import numpy"], in: "/").status) == 0

    @Test(
        "the Python example reads every sample, and ends the stream when it is left early",
        .enabled(if: hasNumPy, "it needs Python with NumPy, which nothing else here does"))
    func python() throws {
        let program = """
            __import__("sys").path.insert(0, \("\"" + Fixtures.path("../Benchmarks/peers") + "\""))
            from stream_dataset import Stream
            options = ["decoy.h5", "--masks", "masks.h5", "--batch-size", "7", "--shuffle", "--split", "all"]
            found = []
            for images, labels, index, masks in Stream(*options):
                assert images.shape == masks.shape == (len(index), 1, 28, 28) and masks.sum() == 16 * len(index)
                found += index.tolist()
            print(sorted(found) == list(range(180)))
            for batch in Stream(*options, "--epochs", "100000"):
                break
            try:
                list(Stream("absent.h5", "--batch-size", "7"))
            except RuntimeError as error:
                print(error)
            """
        let outcome = try ChildProcess.run(
            "/usr/bin/env", ["python3", "-c", program], in: Workshop.shared.get().path,
            searchingFirst: [CommandLineTool.folder])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.text.hasPrefix("True\n") && outcome.text.contains("ended with 66"))
    }
}
