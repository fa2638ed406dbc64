import RRDatasets
import RRFormats
import RRPreparation
import RRTensor
import TestSupport
import Testing

@Suite("Importing arrays of masks")
struct ArrayMaskImportTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Four images (2, 2, 3).
    static let images = SourceArray("/x", [4, 2, 2, 3], [UInt8](0..<48))
    /// Four masks (1, 2, 3); those of the samples 1 and 3 are not zero.
    static let masks: [UInt8] = [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0]

    func run(_ change: (inout ArrayImport.Options) -> Void = { _ in }) throws -> ImportSummary {
        var options = ArrayImport.Options(images: ["/x"])
        options.layout = .nchw
        options.masks = ["/m"]
        change(&options)
        return try ArrayImport(
            format: .hdf5, files: [folder.path("in.h5")], output: folder.path("out.h5"),
            masksOutput: folder.path("masks.h5"),
            options: options
        ).run()
    }

    func error(_ change: (inout ArrayImport.Options) -> Void = { _ in }) throws -> DatasetError? {
        let error = #expect(throws: DatasetError.self) { try run(change) }
        #expect(try folder.names() == ["in.h5"])
        return error
    }

    /// Opens both outputs and gives each sample's mask, nil where it is unannotated.
    func expandedMasks() throws -> [[UInt8]?] {
        let dataset = try Dataset(path: folder.path("out.h5"))
        let masks = try MaskSet(path: folder.path("masks.h5"), for: dataset)
        let size = masks.maskShape.elementCount
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: size)
        defer { buffer.deallocate() }
        return (0..<dataset.sampleCount).map { index in
            masks.expandMask(ofSample: index, channels: masks.maskShape.channels, into: buffer)
                ? Array(buffer) : nil
        }
    }

    @Test("masks of one channel, of which those that are zero leave their samples unannotated")
    func oneChannel() throws {
        try folder.makeSource(Self.images, SourceArray("/m", [4, 1, 2, 3], Self.masks))
        let summary = try run()
        #expect(summary.masks?.annotatedCount == 2)
        #expect(summary.masks?.meanShare == (2.0 / 6 + 5.0 / 6) / 2)
        #expect(try expandedMasks() == [nil, [1, 0, 0, 0, 0, 1], nil, [1, 1, 1, 1, 1, 0]])
        let file = try HDF5File(reading: folder.path("masks.h5"))
        #expect(try file.dataset("/A").shape.dimensions == [3, 1, 2, 3])
        #expect(try file.dataset("/row").readAll(as: Int64.self) == [2, 0, 2, 1])
        #expect(try file.attribute("dataset_fingerprint") == .string(summary.fingerprint))
    }

    @Test("masks of right regions are inverted, and samples without one stay unannotated")
    func marksRight() throws {
        try folder.makeSource(Self.images, SourceArray("/m", [4, 1, 2, 3], Self.masks))
        let summary = try run { $0.marks = .right }
        #expect(summary.masks?.annotatedCount == 2)
        #expect(summary.masks?.meanShare == (4.0 / 6 + 1.0 / 6) / 2)
        #expect(try expandedMasks() == [nil, [0, 1, 1, 1, 1, 0], nil, [0, 0, 0, 0, 0, 1]])
    }

    @Test("a mask whose inversion is all zero leaves its sample unannotated")
    func allRight() throws {
        let masks = [UInt8](repeating: 1, count: 24)
        try folder.makeSource(Self.images, SourceArray("/m", [4, 1, 2, 3], masks))
        #expect(try run { $0.marks = .right }.masks?.annotatedCount == 0)
        #expect(try expandedMasks() == [nil, nil, nil, nil])
    }

    @Test("masks of every channel, of another type and without a channel dimension")
    func otherForms() throws {
        let doubled: [Double] = (0..<4).flatMap { row in
            let mask = Self.masks[row * 6..<row * 6 + 6].map { Double($0) }
            return mask + mask.reversed()
        }
        try folder.makeSource(
            Self.images, SourceArray("/m", [4, 2, 2, 3], doubled),
            SourceArray("/flat", [4, 2, 3], Self.masks.map { Int64($0) }))
        _ = try run()
        #expect(try expandedMasks()[1] == [1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1])
        _ = try run {
            $0.masks = ["/flat"]
            $0.force = true
        }
        #expect(try expandedMasks()[3] == [1, 1, 1, 1, 1, 0])
    }

    @Test("masks with the channel last are recognised by their size")
    func channelsLast() throws {
        try folder.makeSource(Self.images, SourceArray("/m", [4, 2, 3, 1], Self.masks))
        _ = try run()
        #expect(try expandedMasks()[1] == [1, 0, 0, 0, 0, 1])
    }

    @Test("masks with W before H are taken where their layout is said, and named where it does not")
    func turned() throws {
        try folder.makeSource(Self.images, SourceArray("/m", [4, 1, 3, 2], Self.masks))
        let error = try error()
        #expect(error?.code == .wrongMaskSize)
        #expect(error?.message.contains("NCWH") == true && error?.message.contains("`masksLayout`") == true)
        _ = try run { $0.masksLayout = .ncwh }
        #expect(try expandedMasks()[1] == [1, 0, 0, 0, 0, 1])
        #expect(try expandedMasks()[3] == [1, 1, 1, 1, 1, 0])
    }

    @Test(
        "square masks follow images with W before H, and a note says so",
        arguments: [nil, ArrayLayout.nwhc, .nhwc])
    func square(layout: ArrayLayout?) throws {
        let mask: [UInt8] = [0, 1, 0, 0, 0, 0, 0, 0, 0]
        try folder.makeSource(
            SourceArray("/x", [2, 3, 3, 1], [UInt8](0..<18)), SourceArray("/m", [2, 3, 3, 1], mask + mask))
        let summary = try run { ($0.layout, $0.masksLayout) = (.nwhc, layout) }
        let turned: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 0, 0]
        #expect(try expandedMasks()[0] == (layout == .nhwc ? mask : turned))
        #expect(
            summary.notes.contains { $0.description.contains("`masksLayout` says otherwise") }
                == (layout == nil))
    }

    @Test("a value that is neither 0 nor 1 is named with its row")
    func nonBinary() throws {
        var masks = Self.masks
        masks[20] = 255
        try folder.makeSource(Self.images, SourceArray("/m", [4, 1, 2, 3], masks))
        let error = try error()
        #expect(error?.code == .nonBinaryMask)
        #expect(error?.message.contains("row 3 has the value 255") == true)
    }

    @Test("masks of 0 and 255 are masks of 0 and 1")
    func bytes() throws {
        try folder.makeSource(Self.images, SourceArray("/m", [4, 1, 2, 3], Self.masks.map { $0 * 255 }))
        #expect(try run().masks?.annotatedCount == 2)
        #expect(try expandedMasks() == [nil, [1, 0, 0, 0, 0, 1], nil, [1, 1, 1, 1, 1, 0]])
    }

    @Test("masks of another number, size or number of channels are refused")
    func wrongShape() throws {
        try folder.makeSource(
            Self.images, SourceArray("/few", [3, 1, 2, 3], [UInt8](repeating: 1, count: 18)),
            SourceArray("/large", [4, 1, 2, 4], [UInt8](repeating: 1, count: 32)),
            SourceArray("/deep", [4, 3, 2, 3], [UInt8](repeating: 1, count: 72)))
        let few = try error { $0.masks = ["/few"] }
        #expect(few?.code == .wrongShape)
        #expect(few?.message.contains("3 masks for 4 images") == true)
        #expect(try error { $0.masks = ["/large"] }?.code == .wrongMaskSize)
        #expect(try error { $0.masks = ["/deep"] }?.code == .wrongMaskSize)
    }

    @Test("an existing mask set is kept, and then no dataset is left")
    func maskOutputExists() throws {
        try folder.makeSource(Self.images, SourceArray("/m", [4, 1, 2, 3], Self.masks))
        try folder.write([1], to: "masks.h5")
        let error = #expect(throws: FormatError.self) { try run() }
        #expect(error?.code == .outputExists)
        #expect(try folder.names() == ["in.h5", "masks.h5"])
        #expect(try FileBytes.read(folder.path("masks.h5")) == [1])
    }

    @Test("options that contradict each other are refused")
    func options() throws {
        try folder.makeSource(Self.images)
        #expect(try error { $0.masks = [] }?.code == .invalidOption)
        var options = ArrayImport.Options(images: ["/x"])
        options.marks = .right
        let alone = ArrayImport(
            format: .hdf5, files: [folder.path("in.h5")], output: folder.path("out.h5"), options: options)
        #expect(throws: DatasetError.self) { try alone.run() }
        options.masks = ["/m"]
        let same = ArrayImport(
            format: .hdf5, files: [folder.path("in.h5")], output: folder.path("out.h5"),
            masksOutput: folder.path("out.h5"),
            options: options)
        #expect(throws: DatasetError.self) { try same.run() }
    }
}
