import Foundation
import RRFormats
import RRTensor
import TestSupport
import Testing

@Suite("HDF5: writing")
struct HDF5WritingTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    func create(_ name: String, _ body: (HDF5File) throws -> Void) throws -> String {
        FileTree.remove(folder.path(name))
        let file = try HDF5File(creating: folder.path(name))
        try body(file)
        try file.close()
        return file.path
    }

    func write<Element: HDF5Element>(_ elements: [Element], rows: Range<Int>, to dataset: HDF5Dataset) throws
    {
        try dataset.write(elements.span, rows: rows)
    }

    func roundTrip<Element: HDF5Element>(_ elements: [Element]) throws {
        let path = try create("round-trip-\(Element.self).h5") { file in
            let shape = try TensorShape([elements.count])
            let dataset = try file.createDataset("/x", type: Element.storedType, shape: shape)
            try write(elements, rows: 0..<elements.count, to: dataset)
        }
        let dataset = try HDF5File(reading: path).dataset("x")
        #expect(dataset.elementType == Element.storedType)
        #expect(try dataset.readAll(as: Element.self) == elements)
    }

    @Test("every type comes back with its extremes")
    func everyType() throws {
        try roundTrip([UInt8.min, 1, .max])
        try roundTrip([Int8.min, 1, .max])
        try roundTrip([UInt16.min, 1, .max])
        try roundTrip([Int16.min, 1, .max])
        try roundTrip([UInt32.min, 1, .max])
        try roundTrip([Int32.min, 1, .max])
        try roundTrip([UInt64.min, 1, .max])
        try roundTrip([Int64.min, 1, .max])
        try roundTrip([-Float.infinity, 0.1, .greatestFiniteMagnitude, .infinity])
        try roundTrip([-Double.infinity, 0.1, .greatestFiniteMagnitude, .infinity])
    }

    @Test("a file is made where there is none, and no link is followed")
    func exclusive() throws {
        let elsewhere = try folder.write(Array("theirs".utf8), to: "elsewhere")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("link.h5"), withDestinationPath: elsewhere)
        for name in ["link.h5", "elsewhere"] {
            let error = HDF5ReadingTests.failure { _ = try HDF5File(creating: folder.path(name)) }
            #expect(error?.code == .cannotWrite)
        }
        #expect(try FileBytes.read(elsewhere) == Array("theirs".utf8))
    }

    @Test("compressed rows make the same bytes in whatever order they come")
    func compressedOrder() throws {
        var generator = SystemRandomNumberGenerator()
        let elements = (0..<96 * 32).map { UInt8(truncatingIfNeeded: $0 &* $0 / 7) }
        func write(_ orders: [Int], threads: Int) throws -> [UInt8] {
            let path = try create("order.h5") { file in
                let dataset = try file.createDataset(
                    "/x", type: .uint8, shape: TensorShape([96, 32]),
                    storage: .chunked([3, 32], deflateLevel: 6))
                let writer = HDF5ChunkWriter(dataset, rowsPerChunk: 3, level: 6)
                try Workers(count: threads).run(parts: 0..<96, makeState: {}) { _, place in
                    let row = orders[place]
                    try elements[row * 32..<(row + 1) * 32].withUnsafeBytes { bytes in
                        Result { () throws(FormatError) in try writer.write(bytes, rows: row..<row + 1) }
                    }.get()
                }
            }
            return try FileBytes.read(path)
        }
        let inOrder = try write(Array(0..<96), threads: 1)
        #expect(
            try HDF5File(reading: folder.path("order.h5")).dataset("x").readAll(as: UInt8.self) == elements)
        #expect(try write(Array((0..<96).reversed()), threads: 1) == inOrder)
        for _ in 0..<4 { #expect(try write((0..<96).shuffled(using: &generator), threads: 3) == inOrder) }
    }

    @Test("rows are written in any order, contiguous or compressed")
    func rows() throws {
        let shape = try TensorShape([5, 2, 3])
        for storage in [HDF5Storage.contiguous, .chunked([2, 2, 3], deflateLevel: 4)] {
            let path = try create("rows.h5") { file in
                let dataset = try file.createDataset("/x", type: .uint16, shape: shape, storage: storage)
                try write([UInt16](18..<30), rows: 3..<5, to: dataset)
                try write([UInt16](0..<18), rows: 0..<3, to: dataset)
            }
            let dataset = try HDF5File(reading: path).dataset("x")
            #expect(try dataset.readAll(as: UInt16.self) == Array(0..<30))
            if storage != .contiguous {
                #expect(dataset.layout == .chunked([2, 2, 3], filters: ["deflate"]))
            }
        }
    }

    @Test("contiguous data of a page and more starts at a multiple of 4,096")
    func alignment() throws {
        let path = try create("aligned.h5") { file in
            try file.setAttribute("format", to: .string("any"))
            for name in ["/a", "/b"] {
                let dataset = try file.createDataset(name, type: .uint8, shape: try TensorShape([4097]))
                try write([UInt8](repeating: 7, count: 4097), rows: 0..<4097, to: dataset)
            }
        }
        let file = try HDF5File(reading: path)
        for name in ["/a", "/b"] {
            guard case .contiguous(let offset?) = try file.dataset(name).layout else {
                Issue.record("\(name) is not contiguous")
                continue
            }
            #expect(offset.isMultiple(of: 4096))
        }
    }

    @Test("a value that the stored type cannot hold is an error")
    func lossyValue() throws {
        let error = HDF5ReadingTests.failure {
            _ = try create("lossy.h5") { file in
                let dataset = try file.createDataset("/x", type: .uint8, shape: try TensorShape([2]))
                try write([Int64(255), 256], rows: 0..<2, to: dataset)
            }
        }
        #expect(error?.code == .unsupported)
    }

    @Test("strings of fixed length are padded UTF-8, and none is cut")
    func fixedStrings() throws {
        let words = ["", "a", "Müller", "日本"]
        let shape = try TensorShape([4])
        let path = try create("strings.h5") { file in
            try file.createDataset("/ids", type: .fixedString(length: 7), shape: shape)
                .writeStrings { words[$0] }
        }
        #expect(try HDF5File(reading: path).dataset("ids").readStrings() == words)
        let long = HDF5ReadingTests.failure {
            _ = try create("long.h5") { file in
                try file.createDataset("/ids", type: .fixedString(length: 6), shape: shape)
                    .writeStrings { words[$0] }
            }
        }
        #expect(long?.code == .cannotWrite)
        let zero = HDF5ReadingTests.failure {
            _ = try create("zero.h5") { file in
                try file.createDataset("/ids", type: .fixedString(length: 6), shape: try TensorShape([1]))
                    .writeStrings { _ in "a\0b" }
            }
        }
        #expect(zero?.code == .unsupported)
    }

    @Test("attributes come back, are replaced, and may be larger than 64 KB")
    func attributes() throws {
        let names = (0..<10_000).map { "class number \($0)" }
        let provenance = String(repeating: "ü", count: 100_000)
        let path = try create("attributes.h5") { file in
            _ = try file.createDataset("/labels", type: .int64, shape: try TensorShape([0]))
            try file.setAttribute("class_names", of: "/labels", to: .strings(names))
            try file.setAttribute("none", of: "/labels", to: .strings([]))
            try file.setAttribute("provenance", to: .string(provenance))
            try file.setAttribute("count", to: .integer(1))
            try file.setAttribute("count", to: .integer(.min))
        }
        let file = try HDF5File(reading: path)
        #expect(try file.attribute("class_names", of: "/labels") == .strings(names))
        #expect(try file.attribute("none", of: "/labels") == .strings([]))
        #expect(try file.attribute("provenance") == .string(provenance))
        #expect(try file.attribute("count") == .integer(.min))
    }

    @Test("attributes that cannot be stored are refused")
    func refusedAttributes() throws {
        let file = try HDF5File(creating: folder.path("refused.h5"))
        #expect(HDF5ReadingTests.failure { try file.setAttribute("a", to: .other) }?.code == .unsupported)
        #expect(
            HDF5ReadingTests.failure { try file.setAttribute("a", to: .string("\0")) }?.code == .unsupported)
        let missing = HDF5ReadingTests.failure { try file.setAttribute("a", of: "/x", to: .integer(1)) }
        #expect(missing?.code == .notFound)
    }

    @Test(
        "types that are only read are refused",
        arguments: [HDF5ElementType.bool, .float16, .init(.uint16, isBigEndian: true)])
    func refusedTypes(type: HDF5ElementType) throws {
        let file = try HDF5File(creating: folder.path("refused.h5"))
        let error = HDF5ReadingTests.failure {
            _ = try file.createDataset("/x", type: type, shape: try TensorShape([1]))
        }
        #expect(error?.code == .unsupported)
    }

    @Test("the same calls make the same bytes")
    func sameBytes() throws {
        func make(_ name: String) throws -> [UInt8] {
            let path = try create(name) { file in
                try file.setAttribute("class_names", to: .strings((0..<5000).map(String.init)))
                let shape = try TensorShape([100, 100])
                let storage = HDF5Storage.chunked([8, 100], deflateLevel: 4)
                let dataset = try file.createDataset("/x", type: .float32, shape: shape, storage: storage)
                try write((0..<10_000).map { Float($0) }, rows: 0..<100, to: dataset)
            }
            return try FileBytes.read(path)
        }
        #expect(try make("first.h5") == make("second.h5"))
    }

    @Test("a file that cannot be created is an error")
    func cannotCreate() {
        let error = HDF5ReadingTests.failure { _ = try HDF5File(creating: folder.path("no/such/folder.h5")) }
        #expect(error?.code == .cannotWrite)
    }

    /// Makes every further write to an open file fail as on a full disk.
    func fillDisk(of path: String) throws {
        let numbers = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap {
            Int32($0)
        }
        let number = numbers.first { number in
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)")) == path
        }
        // libhdf5 tells open files apart by their number on the disk, which must not go to another file.
        #expect(open(path, O_RDONLY) >= 0)
        let full = open("/dev/full", O_WRONLY)
        #expect(try dup2(full, #require(number)) >= 0)
        close(full)
    }

    @Test(
        "a full disk is an error, after which the file is not touched again",
        arguments: [HDF5Storage.contiguous, .chunked([64, 1024], deflateLevel: 1)])
    func fullDisk(storage: HDF5Storage) throws {
        var generator = SystemRandomNumberGenerator()
        let noise = (0..<1 << 20).map { _ in UInt8.random(in: 0...255, using: &generator) }
        var file: HDF5File? = try HDF5File(creating: folder.path("full.h5"), path: "out.h5")
        try fillDisk(of: folder.path("full.h5"))
        var dataset = try file?.createDataset(
            "/x", type: .uint8, shape: try TensorShape([1024, 1024]), storage: storage)
        let error = HDF5ReadingTests.failure {
            if let dataset { try write(noise, rows: 0..<1024, to: dataset) }
            try file?.close()
        }
        #expect(error?.code == .cannotWrite)
        #expect(error?.path.hasPrefix("out.h5") == true)
        #expect(error?.message.contains("No space left on device") == true)
        #expect(HDF5ReadingTests.failure { try file?.setAttribute("a", to: .integer(1)) } != nil)
        (file, dataset) = (nil, nil)
    }

    @Test("a file that is given up on a full disk ends nothing else")
    func givenUp() throws {
        for number in 0..<20 {
            let path = folder.path("full-\(number).h5")
            let file = try HDF5File(creating: path)
            let shape = try TensorShape([256])
            let dataset = try file.createDataset(
                "/x", type: .int64, shape: shape, storage: .chunked([64], deflateLevel: 1))
            try write((0..<256).map { Int64($0) }, rows: 0..<256, to: dataset)
            try fillDisk(of: path)
            try roundTrip([Int64(number)])
        }
    }
}
