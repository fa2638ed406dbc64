import Glibc
import RRFormats
import RRTensor
import TestSupport
import Testing

@Suite("arrays as other programs leave them, by the command line")
struct ArrayHabitsTests {
    private let folder: TemporaryFolder
    private static let source = Fixtures.path("formats/hdf5/habits-")

    /// What `make_hdf5_habits.py` stores as `x`: uint8 (4, 3, 4, 6).
    private static let pixels: [UInt8] = (0..<12).flatMap { plane in
        let first = plane / 3 * 100 + plane % 3 * 30
        return (0..<24).map { UInt8((first + $0) % 251) }
    }

    init() throws { folder = try TemporaryFolder() }

    private func run(_ line: String) throws -> ChildProcess.Outcome {
        try CommandLineTool.run(line.split(separator: " ").map(String.init), in: folder.path)
    }

    private func images() throws -> [UInt8] {
        try HDF5File(reading: folder.path("d.h5")).dataset("/images").readAll(as: UInt8.self)
    }

    private func labels() throws -> [Int32] {
        try HDF5File(reading: folder.path("d.h5")).dataset("/labels").readAll(as: Int32.self)
    }

    @Test("a .mat file of MATLAB with its block of 512 bytes is read by every command")
    func matlab() throws {
        let file = Self.source + "matlab.mat"
        let outcome = try run(
            "import hdf5 \(file) --images x --labels y --masks m --layout NCWH -o d.h5 --masks-output m.h5")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try images() == Self.pixels)
        #expect(try labels() == [1, 2, 1, 2])
        #expect(outcome.errors.contains("class 0 has no sample"))
        let masks = try HDF5File(reading: folder.path("m.h5")).dataset("/A").readAll(as: UInt8.self)
        #expect(masks.prefix(24).firstIndex(of: 1) == 11)
        #expect(try run("import masks \(file) --masks m --for d.h5 -o later.h5").status == 0)
        #expect(try run("info \(file) --json").text.contains("\"hdf5\""))
    }

    @Test(
        "a dataset behind a block of the user's opens everywhere", arguments: [512, 2048])
    func userBlock(size: Int) throws {
        #expect(
            try run("import hdf5 \(Self.source)labels.h5 --images x --labels row --layout NCHW -o d.h5")
                .status == 0)
        let bytes = try FileBytes.read(folder.path("d.h5"))
        try folder.write([UInt8](repeating: 0, count: size) + bytes, to: "behind.h5")
        #expect(try run("info behind.h5 --json").text.contains("rrdata.dataset"))
        #expect(try run("validate behind.h5 --deep").status == 0)
        let stream = "stream d.h5 --batch-size 4 --format npy"
        let expected = try run(stream).output
        #expect(try run(stream.replacing("d.h5", with: "behind.h5")).output == expected)
        try folder.write(
            NPYHeader.bytes(shape: [4, 4, 6], type: .uint8) + (0..<96).map { $0 % 24 == 11 ? 1 : 0 },
            to: "m.npy")
        #expect(try run("import masks m.npy --for behind.h5 -o m.h5").status == 0)
    }

    @Test(
        "data that h5py and hdf5plugin compressed by LZF, Blosc and Zstd are read",
        arguments: ["lzf", "blosc-blosclz", "blosc-lz4", "blosc-zlib", "blosc-zstd", "zstd"])
    func filters(name: String) throws {
        let file = Self.source + "filters.h5"
        let outcome = try run("import hdf5 \(file) --images \(name) --layout NCHW -o d.h5")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let smooth = try HDF5File(reading: file).dataset("/smooth").readAll(as: UInt8.self)
        #expect(try images() == smooth)
    }

    @Test("integers of 0 and 1 are remarked on as images: a network divides them by 255")
    func binaryImages() throws {
        let pixels = (0..<32).flatMap { pixel -> [UInt8] in [UInt8(pixel % 2), 0, 0, 0, 0, 0, 0, 0] }
        try folder.write(NPYHeader.bytes(shape: [2, 4, 4], type: .int64) + pixels, to: "x.npy")
        #expect(try run("import npy x.npy -o d.h5 --force").errors.contains("only 0 and 1 as integers"))
        let bytes = [UInt8](repeating: 7, count: 32)
        try folder.write(NPYHeader.bytes(shape: [2, 4, 4], type: .uint8) + bytes, to: "x.npy")
        #expect(try run("import npy x.npy -o d.h5 --force").errors == "")
    }

    @Test("data that SZIP compressed is read, labels too", arguments: ["nn", "ec", "shuffled"])
    func szip(name: String) throws {
        let file = Self.source + "szip.h5"
        let outcome = try run("import hdf5 \(file) --images \(name) --labels y --layout NCHW -o d.h5")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try images() == HDF5File(reading: file).dataset("/smooth").readAll(as: UInt8.self))
        #expect(try labels() == [0, 1, 0, 1])
        #expect(try run("info \(file) --json").text.contains("\"szip\""))
    }

    @Test("bytes that LZF made no smaller stand as they are")
    func incompressible() throws {
        let file = Self.source + "filters.h5"
        #expect(try run("import hdf5 \(file) --images noise-lzf --layout NCHW -o d.h5").status == 0)
        let noise = try HDF5File(reading: file).dataset("/noise").readAll(as: UInt8.self)
        #expect(try images() == noise)
    }

    @Test(
        "labels of any shape and type that say one class a sample are read",
        arguments: [
            ("float", [0, 1, 0, 1], nil), ("row", [0, 1, 0, 1], nil), ("column", [0, 1, 0, 1], nil),
            ("hot-column", [0, 1, 0, 1], nil), ("hot-rows", [0, 1, 2, 0], nil),
            ("kinds", [1, 0, 1, 0], ["dog", "cat"]), ("big-kinds", [1, 0, 1, 0], ["dog", "cat"]),
        ] as [(String, [Int32], [String]?)])
    func labels(name: String, expected: [Int32], names: [String]?) throws {
        let file = Self.source + "labels.h5"
        let outcome = try run("import hdf5 \(file) --images x --labels \(name) --layout NCHW -o d.h5")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try labels() == expected)
        let file2 = try HDF5File(reading: folder.path("d.h5"))
        #expect(file2.names("class_names", of: "/labels") == names)
    }

    @Test(
        "labels that are not whole, or that an enumeration does not name, are refused by their row",
        arguments: [("half", "number 0 is 0.5"), ("unknown-kinds", "row 2 has the value 6")])
    func wrongLabels(name: String, words: String) throws {
        let file = Self.source + "labels.h5"
        let outcome = try run("import hdf5 \(file) --images x --labels \(name) --layout NCHW -o d.h5")
        #expect(outcome.status == 65)
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
    }

    @Test("labels in a file of their own, HDF5 or NPY, and each array that is not taken is named")
    func otherFile() throws {
        let file = Self.source + "labels.h5"
        let png = Self.source + "png.h5"
        let outcome = try run(
            "import hdf5 \(png) --images pixels --labels \(file):/row --layout NCHW -o d.h5 --json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try labels() == [0, 1, 0, 1])
        #expect(
            outcome.text.contains(#""not_taken": ["empty","gray","jpeg","sizes","x","y"]"#), "\(outcome.text)"
        )
        #expect(outcome.errors.contains("6 arrays were not taken: empty, gray, jpeg, sizes, x, y"))
        let provenance = try HDF5File(reading: folder.path("d.h5")).text("provenance") ?? ""
        #expect(provenance.contains(#""labels":"habits-labels.h5:/row""#), "\(provenance)")
        try folder.write(NPYHeader.bytes(shape: [4], type: .uint8) + [3, 2, 1, 0], to: "y.npy")
        #expect(
            try run("import hdf5 \(file) --images x --labels y.npy --layout NCHW -o d.h5 --force").status == 0
        )
        #expect(try labels() == [3, 2, 1, 0])
    }

    @Test("PNG files inside HDF5 are the images that Pillow wrote", arguments: [("x", 3), ("gray", 1)])
    func encoded(name: String, channels: Int) throws {
        let outcome = try run("import hdf5 \(Self.source)png.h5 --images \(name) --labels y -o d.h5")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let expected = (0..<4).flatMap { n in Self.pixels[(72 * n)..<(72 * n + 24 * channels)] }
        #expect(try images() == expected)
    }

    @Test(
        "files inside HDF5 that are no PNG files, or of several sizes, are refused by their row",
        arguments: [
            ("jpeg", "row 0: the row is a JPEG"), ("empty", "row 1: the row is empty"),
            ("sizes", "row 1: the image is"),
        ])
    func wrongEncoded(name: String, words: String) throws {
        let outcome = try run("import hdf5 \(Self.source)png.h5 --images \(name) -o d.h5")
        #expect(outcome.status == 65)
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
        #expect(try folder.names() == [])
    }

    @Test("a file in a form that is newer than libhdf5, and one that was not closed, are called so")
    func newerForm() throws {
        let newer = try run("import hdf5 \(Self.source)latest.h5 --images x -o d.h5")
        #expect(newer.status == 65)
        #expect(newer.errors.contains("libver='latest'") && newer.errors.contains("1.10"), "\(newer.errors)")
        let described = try run("info \(Self.source)latest.h5")
        #expect(described.text.contains("x: error") && described.text.contains("libver"), "\(described.text)")
        for command in [
            "import hdf5 \(Self.source)unclosed.h5 --images x -o d.h5", "validate \(Self.source)unclosed.h5",
        ] {
            let unclosed = try run(command)
            #expect(unclosed.status == 74)
            #expect(unclosed.errors.contains("marked as open for writing"), "\(unclosed.errors)")
            #expect(unclosed.errors.contains("h5clear"))
        }
    }

    @Test(
        "a lock that another program holds is named, and not taken for damage",
        arguments: ["validate", "info", "import"])
    func locked(command: String) throws {
        try folder.write(FileBytes.read(Self.source + "labels.h5"), to: "x.h5")
        let descriptor = open(folder.path("x.h5"), O_RDWR)
        defer { close(descriptor) }
        #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        let line = command == "import" ? "import hdf5 x.h5 --images x -o d.h5" : "\(command) x.h5"
        let outcome = try run(line)
        #expect(outcome.status == 74)
        #expect(outcome.errors.contains("another program has the file open for writing"), "\(outcome.errors)")
        #expect(!(outcome.errors + outcome.text).contains("damaged"))
    }

    @Test("NPY and IDX files come through pipes, one at a time")
    func pipes() throws {
        let rrdata = CommandLineTool.path
        let header = NPYHeader.bytes(shape: [4, 4, 6], type: .uint8)
        try folder.write(header + Self.pixels.prefix(96), to: "x.npy")
        try folder.write(NPYHeader.bytes(shape: [4], type: .uint8) + [0, 1, 0, 1], to: "y.npy")
        func shell(_ command: String) throws -> ChildProcess.Outcome {
            try ChildProcess.run("/bin/bash", ["-c", command], in: folder.path)
        }
        for command in [
            "cat x.npy | \(rrdata) import npy - --labels y.npy -o d.h5 --force",
            "\(rrdata) import npy x.npy --labels - -o d.h5 --force < y.npy",
            "\(rrdata) import npy <(cat x.npy) --labels <(cat y.npy) -o d.h5 --force",
        ] {
            let outcome = try shell(command)
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(try images() == Array(Self.pixels.prefix(96)))
            #expect(try labels() == [0, 1, 0, 1])
        }
        let idx = Fixtures.path("formats/idx/u1.gz")
        #expect(
            try shell(
                "\(rrdata) import idx \(idx) -o plain.h5; \(rrdata) import idx - -o d.h5 --force < \(idx)"
            ).status == 0)
        #expect(
            try images()
                == HDF5File(reading: folder.path("plain.h5")).dataset("/images").readAll(as: UInt8.self))
        let twice = try shell("cat x.npy | \(rrdata) import npy - --labels - -o e.h5")
        #expect(twice.status == 64 && twice.errors.contains("only one array"), "\(twice.errors)")
        let cut = try shell("head -c 100 x.npy | \(rrdata) import npy - -o e.h5")
        #expect(cut.status == 65 && cut.errors.contains("header is cut short"), "\(cut.errors)")
        let many = try shell("cat x.npy | \(rrdata) import hdf5 - --images x -o e.h5")
        #expect(many.status == 65 && many.errors.contains("save it as a file first"), "\(many.errors)")
    }

    @Test(
        "arrays named as splits are by habit become splits, and the others are named",
        arguments: [
            (["x_train", "y_train", "x_valid", "y_valid"], ["train", "val"], "x_valid as val"),
            (
                ["X_train", "Y_train", "X_dev", "Y_dev", "X_test", "Y_test"], ["train", "val", "test"],
                "X_dev as val"
            ),
            (
                ["train_data", "train_targets", "valid_data", "valid_targets"], ["train", "val"],
                "valid_data as val"
            ),
        ])
    func splits(names: [String], splits: [String], words: String) throws {
        let file = try HDF5File(creating: folder.path("in.h5"))
        for (number, name) in (names + ["weights"]).enumerated() {
            let isOfImages = number % 2 == 0 && name != "weights"
            let shape = try TensorShape(isOfImages ? [2, 5, 5] : [2])
            let dataset = try file.createDataset("/" + name, type: .uint8, shape: shape, storage: .contiguous)
            let values = (0..<shape.elementCount).map { UInt8(isOfImages ? number * 10 + $0 % 10 : $0) }
            try dataset.write(values.span, rows: 0..<2)
        }
        try file.close()
        let outcome = try run("import hdf5 in.h5 -o d.h5 --json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        for split in splits { #expect(outcome.text.contains("\"\(split)\": 2"), "\(outcome.text)") }
        #expect(
            outcome.errors.contains(words) && outcome.errors.contains("not taken: weights"),
            "\(outcome.errors)")
        #expect(try images().count == splits.count * 50)
        #expect(try labels() == splits.flatMap { _ in [0, 1] as [Int32] })
    }

    @Test("groups of an HDF5 file that are named as splits become splits")
    func splitGroups() throws {
        let outcome = try run("import hdf5 \(Self.source)groups.h5 -o d.h5 --json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(
            outcome.text.contains("\"train\": 4") && outcome.text.contains("\"test\": 4"), "\(outcome.text)")
        #expect(
            outcome.errors.contains("training/images as train, testing/images as test"), "\(outcome.errors)")
        #expect(outcome.errors.contains("an array was not taken: weights"))
        #expect(try labels() == [0, 1, 0, 1, 0, 1, 0, 1])
    }

    @Test("volumes of a MedMNIST 3-D file are refused with their dimensions")
    func volumes() throws {
        let file = Fixtures.path("formats/npz/volumes.npz")
        let outcome = try run("import npz \(file) -o d.h5")
        #expect(outcome.status == 65)
        #expect(
            outcome.errors.contains("(3, 6, 6, 6) is of volumes, (N, depth, height, width)"),
            "\(outcome.errors)")
        let channels = try run(
            "import npz \(file) --images train_images --layout NCHW -o d.h5")
        #expect(channels.status == 0, "\(channels.errors)")
    }

    @Test(
        "one class, labels from 1 on, and floating-point images far from 0 each get a line, on import and in training"
    )
    func remarks() throws {
        func write(_ labels: [UInt8], _ value: Float) throws {
            let bytes = (0..<100).flatMap { position in
                withUnsafeBytes(of: (Float(position % 25) / 24 * value).bitPattern.littleEndian) { Array($0) }
            }
            try folder.write(NPYHeader.bytes(shape: [4, 1, 5, 5], type: .float32) + bytes, to: "x.npy")
            try folder.write(NPYHeader.bytes(shape: [4], type: .uint8) + labels, to: "y.npy")
        }
        for (labels, value, words, training) in [
            ([1, 1, 1, 1], 1, "all 4 samples are of one class (label 1)", "are of one class"),
            ([1, 2, 2, 1], 1, "the labels are 1 to 2", "smallest label is 1"),
            ([0, 1, 0, 1], 255, "as far from 0 as 255", "give --normalize"),
            ([0, 1, 0, 1], -255, "as far from 0 as 255", "give --normalize"),
            ([0, 1, 0, 1], 10, "", ""),
        ] as [([UInt8], Float, String, String)] {
            try write(labels, value)
            let imported = try run("import npy x.npy --labels y.npy -o d.h5 --force")
            #expect(imported.status == 0, "\(imported.errors)")
            let trained = try run("train d.h5 --model mlp --epochs 1 -o run --force")
            let notes = trained.errors.split(separator: "\n").filter { $0.contains("note:") }
            if words.isEmpty {
                #expect(imported.errors == "")
                #expect(notes.isEmpty, "\(notes)")
            } else {
                #expect(imported.errors.contains(words), "\(imported.errors)")
                #expect(trained.errors.contains(training), "\(trained.errors)")
            }
        }
        try write([0, 1, 0, 1], 255)
        #expect(try run("import npy x.npy --labels y.npy -o d.h5 --force").status == 0)
        let normalized = try run("train d.h5 --model mlp --epochs 1 --normalize auto -o run --force")
        #expect(!normalized.errors.contains("note:"), "\(normalized.errors)")
    }

    @Test("as many labels as the last dimension has ask for the layout")
    func countedLast() throws {
        try folder.write(
            NPYHeader.bytes(shape: [6, 8, 3, 5], type: .uint8) + [UInt8](repeating: 9, count: 720),
            to: "x.npy")
        try folder.write(NPYHeader.bytes(shape: [5], type: .uint8) + [0, 1, 0, 1, 0], to: "y.npy")
        let refused = try run("import npy x.npy --labels y.npy -o d.h5")
        #expect(refused.status == 64)
        #expect(refused.errors.contains("with --layout, HWCN or WHCN"), "\(refused.errors)")
        let read = try run("import npy x.npy --labels y.npy --layout HWCN -o d.h5")
        #expect(read.status == 0 && read.text.contains("5 images of (3, 6, 8)"), "\(read.errors)")
    }

    @Test("a file of EMNIST gets a line on its columns before rows, unless a layout is given")
    func emnist() throws {
        let header: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 3]
        try folder.write(header + (0..<18).map { UInt8($0) }, to: "emnist-letters-train-images-idx3-ubyte")
        let plain = try run("import idx emnist-letters-train-images-idx3-ubyte -o d.h5")
        #expect(plain.errors.contains("--layout NWH"), "\(plain.errors)")
        let turned = try run("import idx emnist-letters-train-images-idx3-ubyte --layout NWH -o d.h5 --force")
        #expect(turned.errors == "")
        #expect(try images().prefix(9) == [0, 3, 6, 1, 4, 7, 2, 5, 8])
    }
}
