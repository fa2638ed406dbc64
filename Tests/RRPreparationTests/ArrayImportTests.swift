import RRDatasets
import RRFormats
import RRPreparation
import RRTensor
import TestSupport
import Testing

@Suite("Importing arrays")
struct ArrayImportTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    @discardableResult
    func run(
        source: String? = nil, images: String = "/x", _ change: (inout ArrayImport.Options) -> Void = { _ in }
    ) throws -> ImportSummary {
        var options = ArrayImport.Options(images: [images])
        change(&options)
        return try ArrayImport(
            format: .hdf5, files: [source ?? folder.path("in.h5")], output: folder.path("out.h5"),
            masksOutput: options.masks.isEmpty ? nil : folder.path("masks.h5"), options: options
        ).run()
    }

    func error(_ change: (inout ArrayImport.Options) -> Void = { _ in }) throws -> DatasetError? {
        let error = #expect(throws: DatasetError.self) { try run(change) }
        #expect(try folder.names() == ["in.h5"])
        return error
    }

    func images() throws -> HDF5Dataset {
        try HDF5File(reading: folder.path("out.h5")).dataset("/images")
    }

    @Test("images, labels and ids")
    func plain() throws {
        try folder.makeSource(
            SourceArray("/x", [5, 2, 3, 4], [UInt8](0..<120)),
            SourceArray("/y", [5, 1], [Int32(4), 0, 0, 2, 1]))
        let summary = try run { $0.labels = ["y"] }
        #expect(summary.sampleCount == 5 && summary.imageShape.dimensions == [2, 3, 4])
        #expect(summary.elementType == .uint8 && summary.color == "gray-alpha" && summary.isLabelled)
        let dataset = try Dataset(path: folder.path("out.h5"))
        #expect(dataset.labels == [4, 0, 0, 2, 1])
        #expect(dataset.classCount == 5 && dataset.classNames == nil)
        #expect(try dataset.ids() == ["0", "1", "2", "3", "4"])
        #expect(try dataset.fingerprint == summary.fingerprint)
        #expect(try images().readAll(as: UInt8.self) == Array(0..<120))
        for index in 0..<5 {
            #expect(
                try dataset.image(at: index).elements
                    == (index * 24..<index * 24 + 24).map { Float($0) / 255 })
        }
    }

    @Test(
        "every number of h5py's is stored in the type that holds it",
        arguments: [
            ("u1", ImageElementType.uint8), ("i1", .uint8), ("little-u2", .uint16), ("big-u2", .uint16),
            ("little-i2", .uint8), ("big-i4", .uint8), ("little-u4", .uint8), ("little-i8", .uint8),
            ("big-u8", .uint8), ("little-f2", .float32), ("big-f2", .float32), ("little-f4", .float32),
            ("big-f4", .float32), ("little-f8", .float32), ("big-f8", .float32),
        ])
    func types(name: String, type: ImageElementType) throws {
        let summary = try run(source: Fixtures.path("formats/hdf5/types.h5"), images: "/" + name)
        #expect(summary.elementType == type)
        #expect(try images().elementType == type.storedType)
        #expect(try images().readAll(as: Float.self) == (0..<120).map { Float($0) })
    }

    @Test("truth values are stored as 0 and 1")
    func bool() throws {
        let summary = try run(source: Fixtures.path("formats/hdf5/types.h5"), images: "/bool")
        #expect(summary.elementType == .uint8)
        #expect(try images().readAll(as: UInt8.self) == (0..<120).map { $0 % 3 == 0 ? 1 : 0 })
    }

    @Test("integers up to 65,535 are stored as uint16, and beyond they are an error with row and value")
    func integerRange() throws {
        try folder.makeSource(SourceArray("/x", [2, 1, 1, 2], [Int32(0), 1, 256, 65535]))
        #expect(try run().elementType == .uint16)
        #expect(try images().readAll(as: Int64.self) == [0, 1, 256, 65535])
    }

    @Test("a pixel that cannot be stored is named", arguments: [Int64(65536), -1, .max])
    func integerOutOfRange(value: Int64) throws {
        try folder.makeSource(SourceArray("/x", [3, 1, 1, 2], [Int64(0), 1, 2, 3, value, 5]))
        let error = try error()
        #expect(error?.code == .valueOutOfRange)
        #expect(error?.message.contains("row 2 has the value \(value)") == true)
    }

    @Test("a pixel that is no finite float32 is named", arguments: [Double.nan, .infinity, 1e39])
    func notFinite(value: Double) throws {
        try folder.makeSource(SourceArray("/x", [3, 1, 1, 2], [0, 1, 2, 3, 4, value]))
        let error = try error()
        #expect(error?.code == .valueOutOfRange)
        #expect(error?.message.contains("row 2") == true)
    }

    /// Element (n, c, h, w) of every array here is 24 n + 12 c + 4 h + w for C, H, W = 2, 3, 4.
    static func array(_ layout: ArrayLayout) -> (shape: [Int], elements: [UInt8]) {
        let extents: [Character: Int] = ["N": 5, "C": 2, "H": 3, "W": 4]
        let weights: [Character: Int] = ["N": 24, "C": 12, "H": 4, "W": 1]
        let names = Array(layout.rawValue)
        let shape = names.map { extents[$0] ?? 0 }
        let elements = (0..<shape.reduce(1, *)).map { position in
            var (rest, value) = (position, 0)
            for (name, extent) in zip(names, shape).reversed() {
                value += rest % extent * (weights[name] ?? 0)
                rest /= extent
            }
            return UInt8(value)
        }
        return (shape, elements)
    }

    @Test("every layout is brought into (N, C, H, W)", arguments: [ArrayLayout.nchw, .nhwc, .nwhc, .ncwh])
    func layouts(layout: ArrayLayout) throws {
        let (shape, elements) = Self.array(layout)
        try folder.makeSource(SourceArray("/x", shape, elements))
        let summary = try run { $0.layout = layout }
        #expect(summary.imageShape.dimensions == [2, 3, 4])
        #expect(try images().readAll(as: UInt8.self) == Array(0..<120))
    }

    @Test("three dimensions are images of one channel")
    func threeDimensions() throws {
        try folder.makeSource(SourceArray("/x", [5, 3, 4], [UInt8](0..<60)))
        #expect(try run().imageShape.dimensions == [1, 3, 4])
        #expect(try images().readAll(as: UInt8.self) == Array(0..<60))
    }

    @Test(
        "four dimensions without a layout are NCHW where that is the one plausible reading",
        arguments: [
            [2, 1, 28, 28], [2, 3, 28, 28], [2, 3, 32, 20], [2, 16, 8, 8], [2, 1, 4, 4], [2, 3, 4, 4],
            [2, 1, 1, 1],
            [2, 1, 6, 4], [2, 3, 1, 1],
        ])
    func plausible(shape: [Int]) throws {
        try folder.makeSource(SourceArray("/x", shape, [UInt8](repeating: 7, count: shape.reduce(1, *))))
        #expect(try run().imageShape.dimensions == Array(shape.dropFirst()))
    }

    @Test(
        "a shape with several plausible readings is an error that lists them",
        arguments: [
            [2, 28, 28, 1], [2, 28, 28, 3], [2, 32, 20, 4], [2, 3, 3, 3], [2, 3, 32, 3], [2, 1, 28, 1],
        ])
    func ambiguous(shape: [Int]) throws {
        try folder.makeSource(SourceArray("/x", shape, [UInt8](repeating: 7, count: shape.reduce(1, *))))
        let error = try error()
        #expect(error?.code == .ambiguousLayout)
        for words in ["`layout`", "NCHW (", "NHWC ("] { #expect(error?.message.contains(words) == true) }
    }

    @Test("a layout of another number of dimensions, and shapes that are no images, are refused")
    func wrongRank() throws {
        try folder.makeSource(
            SourceArray("/x", [2, 3, 4], [UInt8](0..<24)), SourceArray("/flat", [2, 12], [UInt8](0..<24)))
        #expect(try error { $0.layout = .nchw }?.code == .invalidOption)
        #expect(try error { $0.images = ["/flat"] }?.code == .wrongShape)
    }

    @Test("an array without elements and one that is no number are refused")
    func noImages() throws {
        let path = Fixtures.path("formats/hdf5/strings.h5")
        let strings = #expect(throws: DatasetError.self) { try run(source: path, images: "/fixed") }
        #expect(strings?.code == .wrongShape)
        try folder.makeSource(SourceArray("/x", [0, 1, 2, 2], [UInt8]()))
        #expect(try error()?.code == .empty)
    }

    @Test("a missing array's error lists what is there")
    func missing() throws {
        try folder.makeSource(SourceArray("/x", [1, 1, 2, 2], [UInt8](0..<4)))
        let error = #expect(throws: FormatError.self) { try run(images: "/images") }
        #expect(error?.code == .notFound)
        #expect(error?.message.contains("/ holds x") == true)
    }

    @Test("labels that do not fit are named")
    func labels() throws {
        try folder.makeSource(
            SourceArray("/x", [3, 1, 2, 2], [UInt8](0..<12)), SourceArray("/short", [2], [Int64(0), 1]),
            SourceArray("/negative", [3], [Int64(0), -1, 0]), SourceArray("/float", [3], [Float(0), 1.5, 2]),
            SourceArray("/one-hot", [3, 2], [UInt8](repeating: 0, count: 6)),
            SourceArray("/huge", [3], [0, Int64.max, 0]))
        #expect(try error { $0.labels = ["/short"] }?.code == .wrongShape)
        #expect(try error { $0.labels = ["/one-hot"] }?.code == .severalLabels)
        #expect(try error { $0.labels = ["/float"] }?.code == .wrongType)
        #expect(try error { $0.labels = ["/huge"] }?.code == .labelOutOfRange)
        let negative = try error { $0.labels = ["/negative"] }
        #expect(negative?.code == .labelOutOfRange)
        #expect(negative?.message.contains("row 1 has the label -1") == true)
    }

    @Test("the same import makes the same bytes")
    func sameBytes() throws {
        try folder.makeSource(SourceArray("/x", [5, 2, 3, 4], (0..<120).map { Float($0) / 7 }))
        try run { $0.compression = .deflate }
        let first = try FileBytes.read(folder.path("out.h5"))
        try run {
            $0.compression = .deflate
            $0.force = true
        }
        #expect(try FileBytes.read(folder.path("out.h5")) == first)
    }
}
