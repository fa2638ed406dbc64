import Foundation
import RRDatasets
import RRTensor
import Synchronization
import TestSupport
import Testing

@Suite("Writing a dataset")
struct DatasetWriterTests {
    let folder: TemporaryFolder
    let shape: ImageShape

    init() throws {
        folder = try TemporaryFolder()
        shape = try ImageShape(channels: 2, height: 3, width: 4)
    }

    private var path: String { folder.path("d.h5") }

    private func image<Element: Numeric & Sendable>(_ index: Int, of type: Element.Type) throws -> Tensor<
        Element
    > {
        try Tensor(
            shape: TensorShape(shape.dimensions),
            elements: (0..<shape.elementCount).map { Element(exactly: index + $0) ?? 0 })
    }

    private func writer(
        _ count: Int = 20, _ type: ImageElementType = .uint8, compression: Compression = .none
    ) throws -> DatasetWriter {
        try DatasetWriter(
            path: path, sampleCount: count, imageShape: shape, elementType: type, compression: compression)
    }

    private func code(_ body: () throws -> Void) throws -> DatasetError.Code {
        try #require(#expect(throws: DatasetError.self) { try body() }).code
    }

    @Test(
        "images in any order from several threads make the bytes of those in order",
        arguments: Compression.allCases)
    func anyOrder(compression: Compression) throws {
        let table = SampleTable(
            ids: (0..<20).map { "id \($0)" }, labels: (0..<20).map { $0 % 2 }, classNames: ["bag", "coat"],
            splits: (0..<20).map { UInt8($0 / 10) }, splitNames: ["test", "train"],
            groups: SampleGroups(numbers: (0..<20).map { $0 % 3 }, names: nil))
        let ordered = try writer(compression: compression)
        for index in 0..<20 { try ordered.write(image(index, of: UInt8.self), at: index) }
        let dataset = try ordered.finish(table, provenance: ["by": "hand"])
        #expect(try dataset.table() == table && dataset.color == "gray-alpha")
        let bytes = try Data(contentsOf: URL(filePath: path))
        try FileManager.default.removeItem(atPath: path)

        let shuffled = try writer(compression: compression)
        let failures = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 20) { step in
            let index = step * 7 % 20
            do {
                try shuffled.write(image(index, of: UInt8.self), at: index)
            } catch {
                failures.add(1, ordering: .relaxed)
            }
        }
        #expect(failures.load(ordering: .relaxed) == 0)
        let again = try shuffled.finish(table, provenance: ["by": "hand"])
        #expect(try again.fingerprint == dataset.fingerprint)
        if compression == .none { #expect(try Data(contentsOf: URL(filePath: path)) == bytes) }
        for index in 0..<20 {
            let expected = (0..<24).map { Float(index + $0) / 255 }
            #expect(try again.image(at: index).elements == expected)
        }
    }

    @Test("without ids samples are called by their numbers; every type is kept")
    func types() throws {
        let words = try writer(2, .uint16)
        for index in 0..<2 { try words.write(image(index, of: UInt16.self), at: index) }
        let dataset = try words.finish(SampleTable())
        #expect(try dataset.ids() == ["0", "1"] && dataset.elementType == .uint16 && dataset.classCount == 0)
        #expect(try dataset.image(at: 1).elements == (0..<24).map { Float(1 + $0) / 65535 })
        try FileManager.default.removeItem(atPath: path)
        let floats = try writer(1, .float32)
        try floats.write(image(5, of: Float.self), at: 0)
        #expect(try floats.finish(SampleTable()).image(at: 0).elements == (0..<24).map { Float(5 + $0) })
    }

    @Test("an image that does not fit is refused, and the rest goes on")
    func images() throws {
        let writer = try writer(2)
        try writer.write(image(0, of: UInt8.self), at: 0)
        #expect(try code { try writer.write(image(0, of: UInt8.self), at: 0) } == .duplicateImage)
        #expect(try code { try writer.write(image(0, of: UInt8.self), at: 2) } == .indexOutOfRange)
        #expect(try code { try writer.write(image(0, of: UInt8.self), at: -1) } == .indexOutOfRange)
        #expect(try code { try writer.write(image(0, of: UInt16.self), at: 1) } == .wrongType)
        let flat = try Tensor<UInt8>(shape: TensorShape([24]), elements: Array(repeating: 0, count: 24))
        #expect(try code { try writer.write(flat, at: 1) } == .wrongShape)
        #expect(try code { _ = try writer.finish(SampleTable()) } == .missingImage)
        #expect(try folder.names().filter { !$0.hasPrefix(".") }.isEmpty)
        try writer.write(image(1, of: UInt8.self), at: 1)
        #expect(try writer.finish(SampleTable()).sampleCount == 2)
        #expect(throws: (any Error).self) { try writer.finish(SampleTable()) }
        #expect(try code { try writer.write(image(1, of: UInt8.self), at: 1) } == .duplicateImage)
    }

    static let faults: [(DatasetError.Code, SampleTable)] = [
        (.wrongShape, SampleTable(ids: ["a"])),
        (.wrongShape, SampleTable(labels: [0, 1, 1])),
        (.wrongShape, SampleTable(splits: [0], splitNames: ["train"])),
        (.wrongShape, SampleTable(splitNames: ["train"])),
        (.wrongShape, SampleTable(groups: SampleGroups(numbers: [], names: nil))),
        (.duplicateId, SampleTable(ids: ["a", "a"])),
        (.unsafeId, SampleTable(ids: ["a", ""])),
        (.unsafeId, SampleTable(ids: ["a", "b\0c"])),
        (.missingLabels, SampleTable(classNames: ["bag"])),
        (.labelOutOfRange, SampleTable(labels: [0, 1], classNames: ["bag"])),
        (.labelOutOfRange, SampleTable(labels: [0, -1])),
        (.labelOutOfRange, SampleTable(labels: [0, .max])),
        (.splitOutOfRange, SampleTable(splits: [0, 1], splitNames: ["train"])),
        (.groupOutOfRange, SampleTable(groups: SampleGroups(numbers: [0, 2], names: ["a", "b"]))),
        (.wrongAttribute, SampleTable(labels: [0, 1], classNames: ["bag", "bag"])),
    ]

    @Test("a table that does not fit is refused, and a right one accepted after it")
    func tables() throws {
        let writer = try writer(2)
        for index in 0..<2 { try writer.write(image(index, of: UInt8.self), at: index) }
        for (expected, table) in Self.faults {
            #expect(try code { _ = try writer.finish(table) } == expected, "\(table)")
        }
        #expect(try writer.finish(SampleTable(ids: ["a", "b"])).ids() == ["a", "b"])
    }

    @Test("an unfinished dataset leaves nothing behind, and none without pixels begins")
    func nothing() throws {
        do {
            let writer = try writer(2)
            try writer.write(image(0, of: UInt8.self), at: 0)
        }
        #expect(try folder.names().isEmpty)
        #expect(try code { _ = try writer(0) } == .empty)
    }
}
