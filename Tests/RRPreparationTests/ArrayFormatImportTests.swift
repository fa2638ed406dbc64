import RRDatasets
import RRFormats
import RRPreparation
import RRTensor
import TestSupport
import Testing

@Suite("Importing NPY, NPZ and IDX files")
struct ArrayFormatImportTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Images (6, 2, 4, 3) of `npz/medmnist.npz`, brought into (N, C, H, W).
    static let pixels: [UInt8] = (0..<144).map { position in
        let (sample, channel, pixel) = (position / 24, position / 8 % 3, position % 8)
        return UInt8((sample * 24 + pixel * 3 + channel) % 251)
    }

    func run(
        _ format: ArrayImport.Format, _ files: [String] = [],
        _ change: (inout ArrayImport.Options) -> Void = { _ in }
    ) throws -> ImportSummary {
        var options = ArrayImport.Options()
        change(&options)
        return try ArrayImport(
            format: format, files: files.map { Fixtures.path("formats/" + $0) },
            output: folder.path("out.h5"),
            masksOutput: options.masks.isEmpty ? nil : folder.path("masks.h5"), options: options
        ).run()
    }

    func error(
        _ format: ArrayImport.Format, _ files: [String],
        _ change: (inout ArrayImport.Options) -> Void = { _ in }
    ) throws -> DatasetError? {
        let error = #expect(throws: DatasetError.self) { try run(format, files, change) }
        #expect(try folder.names() == [])
        return error
    }

    func images() throws -> [Double] {
        try HDF5File(reading: folder.path("out.h5")).dataset("/images").readAll(as: Double.self)
    }

    @Test("a MedMNIST file needs no option", arguments: ["medmnist", "medmnist-compressed"])
    func medical(name: String) throws {
        let summary = try run(.npz, ["npz/\(name).npz"])
        #expect(summary.imageShape.dimensions == [3, 2, 4] && summary.elementType == .uint8)
        #expect(summary.splits.map(\.name) == ["train", "val", "test"])
        #expect(summary.splits.map(\.sampleCount) == [3, 1, 2])
        let dataset = try Dataset(path: folder.path("out.h5"))
        #expect(dataset.labels == [2, 0, 1, 1, 0, 2])
        #expect(dataset.splits == [0, 0, 0, 1, 2, 2])
        #expect(try images() == Self.pixels.map { Double($0) })
    }

    @Test("a file with Keras's names needs no option either")
    func keras() throws {
        let summary = try run(.npz, ["npz/keras.npz"])
        #expect(summary.imageShape.dimensions == [1, 2, 4])
        #expect(summary.splits.map(\.sampleCount) == [4, 2])
        #expect(try Dataset(path: folder.path("out.h5")).labels == [0, 1, 2, 3, 0, 1])
    }

    @Test("several classes a sample are refused with an explanation")
    func severalLabels() throws {
        let error = try error(.npz, ["npz/several-labels.npz"])
        #expect(error?.code == .severalLabels)
        #expect(error?.message.contains("row 0 has 2 classes") == true)
    }

    @Test("other arrays are named, and class names are sorted; without names the error lists what is there")
    func named() throws {
        let unnamed = try error(.npz, ["npz/named.npz"])
        #expect(unnamed?.code == .invalidOption)
        #expect(unnamed?.message.contains("pixels, classes") == true)
        let summary = try run(.npz, ["npz/named.npz"]) {
            ($0.images, $0.labels, $0.layout) = (["pixels"], ["classes"], .nhwc)
        }
        #expect(summary.elementType == .float32 && summary.classNames == ["a", "b", "c"])
        #expect(try Dataset(path: folder.path("out.h5")).labels == [1, 0, 1, 2, 0, 0])
        #expect(try images() == Self.pixels.map { Double($0) })
    }

    @Test("IDX images and labels, plain and by gzip", arguments: ["u1.idx", "u1.gz"])
    func idx(name: String) throws {
        _ = try run(.idx) {
            $0.images = [Fixtures.path("formats/idx/" + name)]
            $0.labels = [Fixtures.path("formats/idx/labels.idx")]
        }
        #expect(try images() == (0..<24).map { Double($0) })
        #expect(try Dataset(path: folder.path("out.h5")).labels == [1, 0])
    }

    @Test("files follow one another, and those of another type do not")
    func joined() throws {
        _ = try run(.idx) { $0.images = Array(repeating: Fixtures.path("formats/idx/u1.idx"), count: 2) }
        #expect(try images() == (0..<48).map { Double($0 % 24) })
        let error = #expect(throws: FormatError.self) {
            try run(.idx) {
                $0.images = ["u1", "i2"].map { Fixtures.path("formats/idx/\($0).idx") }
                $0.force = true
            }
        }
        #expect(error?.message.contains("int16") == true)
    }

    @Test("rows of (N, D) are images of the shape that is said, and an error where none is")
    func shape() throws {
        try folder.makeSource(SourceArray("/x", [4, 12], [UInt8](0..<48)))
        func run(_ shape: [Int]?, _ layout: ArrayLayout? = nil) throws -> ImportSummary {
            var options = ArrayImport.Options(images: ["/x"])
            options.shape = try shape.map { try ImageShape(channels: $0[0], height: $0[1], width: $0[2]) }
            options.layout = layout
            options.force = true
            return try ArrayImport(
                format: .hdf5, files: [folder.path("in.h5")], output: folder.path("out.h5"), options: options
            ).run()
        }
        #expect(try run([2, 3, 2]).imageShape.dimensions == [2, 3, 2])
        #expect(try images() == (0..<48).map { Double($0) })
        let unsaid = #expect(throws: DatasetError.self) { try run(nil) }
        #expect(unsaid?.code == .wrongShape && unsaid?.message.contains("`shape`") == true)
        #expect(#expect(throws: DatasetError.self) { try run([2, 3, 3]) }?.code == .wrongShape)
        // Rows in another order: what is H, W and C in the file.
        _ = try run([2, 3, 2], .nhwc)
        var turned: [Double] = []
        for row in 0..<4 {
            for channel in 0..<2 {
                for pixel in 0..<6 { turned.append(Double(row * 12 + pixel * 2 + channel)) }
            }
        }
        #expect(try images() == turned)
        #expect(#expect(throws: DatasetError.self) { try run([2, 3, 2], .nhw) }?.code == .invalidOption)
    }

    @Test("labels of one 1 a row, of truth values and of text in HDF5")
    func oneHot() throws {
        try folder.makeSource(
            SourceArray("/x", [3, 1, 2, 2], [UInt8](0..<12)),
            SourceArray("/hot", [3, 4], [Float(0), 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1]),
            SourceArray("/none", [3, 2], [UInt8(1), 0, 0, 1, 0, 0]),
            SourceArray("/soft", [3, 2], [0.5, 0.5, 1, 0, 0, 1]))
        func labels(_ name: String) throws -> [Int]? {
            var options = ArrayImport.Options(images: ["/x"])
            (options.labels, options.layout, options.force) = ([name], .nchw, true)
            _ = try ArrayImport(
                format: .hdf5, files: [folder.path("in.h5")], output: folder.path("out.h5"), options: options
            ).run()
            return try Dataset(path: folder.path("out.h5")).labels
        }
        #expect(try labels("/hot") == [2, 0, 3])
        let none = #expect(throws: DatasetError.self) { try labels("/none") }
        #expect(none?.message.contains("row 2 has no class") == true)
        let soft = #expect(throws: DatasetError.self) { try labels("/soft") }
        #expect(soft?.message.contains("row 0 of (3, 2) has the value 0.5") == true)
    }

    @Test(
        "three channels are taken apart the same whatever the number of pixels",
        arguments: [1, 15, 16, 17, 40])
    func colorPlanes(width: Int) throws {
        let elements = (0..<2 * width * 3).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        try folder.makeSource(SourceArray("/x", [2, 1, width, 3], elements))
        var options = ArrayImport.Options(images: ["/x"])
        options.layout = .nhwc
        _ = try ArrayImport(
            format: .hdf5, files: [folder.path("in.h5")], output: folder.path("out.h5"), options: options
        ).run()
        let expected: [Double] = (0..<6 * width).map { position in
            let (sample, channel, column) = (position / (3 * width), position / width % 3, position % width)
            return Double(elements[(sample * width + column) * 3 + channel])
        }
        #expect(try images() == expected)
    }

    @Test(
        "the number of threads and the compression change no pixel", arguments: [Compression.none, .deflate],
        [1, 2, 5])
    func threads(compression: Compression, threadCount: Int) throws {
        // 2 MB in many pieces and chunks, the last of which is not full.
        let elements = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 / 3 &* 41) }
        try folder.makeSource(SourceArray("/x", [5000, 1, 20, 20], elements))
        var options = ArrayImport.Options(images: ["/x"])
        (options.layout, options.compression, options.threadCount) = (.nchw, compression, threadCount)
        _ = try ArrayImport(
            format: .hdf5, files: [folder.path("in.h5")], output: folder.path("out.h5"), options: options
        ).run()
        let file = try HDF5File(reading: folder.path("out.h5"))
        #expect(try file.dataset("/images").readAll(as: UInt8.self) == elements)
        let dataset = try Dataset(path: folder.path("out.h5"))
        // Reading compares the checksum.
        for index in [0, 4999] { #expect(try dataset.image(at: index).elements.count == 400) }
    }
}
