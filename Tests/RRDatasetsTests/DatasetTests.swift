import Foundation
import RRDatasets
import RRFormats
import RRTensor
import TestSupport
import Testing

@Suite("Reading a dataset")
struct DatasetTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func read(_ dataset: Dataset, _ index: Int) throws -> [Float] {
        try dataset.image(at: index).elements
    }

    @Test(
        "what was written is read, in every type and layout", arguments: ImageElementType.allCases,
        Compression.allCases)
    func roundTrip(elementType: ImageElementType, compression: Compression) throws {
        var sample = try SampleDataset(folder, channels: 3, height: 13, width: 11)
        sample.elementType = elementType
        sample.compression = compression
        let dataset = try Dataset(path: sample.write())
        #expect(dataset.sampleCount == 7)
        #expect(dataset.imageShape == sample.shape)
        #expect(dataset.elementType == elementType)
        #expect(dataset.color == "other")
        #expect(dataset.labels == sample.labels)
        #expect(dataset.classNames == sample.classNames)
        #expect(dataset.classCount == 3)
        #expect(dataset.splits == sample.splits)
        #expect(dataset.splitNames == ["train", "test"])
        #expect(try dataset.ids() == (0..<7).map { "sample/\($0)" })
        #expect(try dataset.fingerprint.count == 64)
        for index in [6, 0, 3, 3, 5, 1, 2, 4] {
            let bytes = sample.storedBytes(of: index)
            let expected: [Float] = bytes.withUnsafeBytes { bytes in
                switch elementType {
                case .uint8: bytes.map { Float($0) / 255 }
                case .uint16: bytes.bindMemory(to: UInt16.self).map { Float($0) / 65535 }
                case .float32: Array(bytes.bindMemory(to: Float.self))
                }
            }
            #expect(try read(dataset, index) == expected)
        }
    }

    @Test("bytes and 16-bit integers become IEEE's quotients, bit for bit")
    func scaling() throws {
        let bytes = (0...255).map { UInt8($0) }
        var sample = try SampleDataset(
            folder, images: [bytes], of: ImageShape(channels: 1, height: 16, width: 16))
        #expect(
            try read(sample.dataset(), 0).map(\.bitPattern) == bytes.map { (Float($0) / 255).bitPattern })
        let integers = (0...65535).map { UInt16($0) }
        sample = try SampleDataset(
            folder, images: [integers.withUnsafeBytes { Array($0) }],
            of: ImageShape(channels: 1, height: 256, width: 256))
        sample.elementType = .uint16
        #expect(
            try read(sample.dataset(), 0).map(\.bitPattern)
                == integers.map { (Float($0) / 65535).bitPattern })
    }

    @Test("several threads read at once", arguments: Compression.allCases)
    func concurrency(compression: Compression) async throws {
        var sample = try SampleDataset(folder, height: 50, width: 50)
        sample.compression = compression
        let dataset = try Dataset(path: sample.write())
        let expected = try (0..<7).map { try read(dataset, $0) }
        let fresh = try Dataset(path: dataset.path)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for task in 0..<64 {
                group.addTask { try self.read(fresh, task % 7) == expected[task % 7] }
            }
            for try await isEqual in group { #expect(isEqual) }
        }
    }

    @Test("splits name their samples, and an unknown one lists the names")
    func splits() throws {
        let dataset = try Dataset(path: SampleDataset(folder).write())
        #expect(try dataset.indices(inSplit: "train") == [0, 1, 2, 3])
        #expect(try dataset.indices(inSplit: "test") == [4, 5, 6])
        #expect(try dataset.indices(inSplit: "all") == [0, 1, 2, 3, 4, 5, 6])
        #expect(dataset.split(preferring: "test") == "test")
        let error = try #require(throws: DatasetError.self) { try dataset.indices(inSplit: "val") }
        #expect(error.code == .unknownSplit)
        #expect(error.message.contains("train, test"))
    }

    @Test("without labels and splits there are no classes, and all samples are one split")
    func bare() throws {
        var sample = try SampleDataset(folder)
        (sample.labels, sample.classNames, sample.splits) = (nil, nil, nil)
        let dataset = try Dataset(path: sample.write())
        #expect(dataset.labels == nil)
        #expect(dataset.classCount == 0)
        #expect(dataset.splitNames.isEmpty)
        #expect(dataset.split(preferring: "train") == "all")
        #expect(try dataset.indices(inSplit: "all").count == 7)
    }

    @Test("labels without names count up to the largest")
    func bareLabels() throws {
        let raw = try RawFile.dataset().setting("class_names", to: nil)
        #expect(try Dataset(path: raw.write(to: folder.path("d.h5"))).classCount == 2)
    }

    @Test("a corrupt image is named on its first reading", arguments: Compression.allCases)
    func corrupt(compression: Compression) throws {
        var sample = try SampleDataset(folder)
        sample.compression = compression
        let path = try sample.write()
        try spoilChecksum(of: 3, in: path)
        let dataset = try Dataset(path: path)
        _ = try read(dataset, 2)
        for _ in 0..<2 {
            let error = try #require(throws: DatasetError.self) { try read(dataset, 3) }
            #expect(error.code == .checksumMismatch)
            #expect(error.path == path + ":/images")
            #expect(error.message.contains("sample 3 (“sample/3”)"))
        }
    }

    @Test("a sample that is not there is refused", arguments: [-1, 7, Int.max])
    func indexOutOfRange(index: Int) throws {
        let dataset = try Dataset(path: SampleDataset(folder).write())
        #expect(throws: DatasetError.self) { try read(dataset, index) }
    }

    @Test("samples say what they are, and read their images as they are asked for")
    func samples() throws {
        var sample = try SampleDataset(folder)
        let path = try sample.write()
        try spoilChecksum(of: 5, in: path)
        let dataset = try Dataset(path: path)
        let fourth = try dataset.sample(at: 3)
        #expect((fourth.index, fourth.id, fourth.label) == (3, "sample/3", 0))
        #expect(fourth.className == "coat" && fourth.split == "train" && fourth.group == nil)
        #expect(try fourth.image.shape.dimensions == [1, 5, 4])
        #expect(throws: DatasetError.self) { try dataset.sample(at: 7) }
        #expect(throws: DatasetError.self) { try dataset.samples(inSplit: "val") }

        let tested = try dataset.samples(inSplit: "test")
        #expect(tested.map(\.index) == [4, 5, 6] && tested.map(\.id) == (4..<7).map { "sample/\($0)" })
        var faults: [Int] = []
        for sample in try dataset.samples() {
            do {
                #expect(try sample.image.elements == dataset.image(at: sample.index).elements)
            } catch let error as DatasetError {
                #expect(error.code == .checksumMismatch)
                faults.append(sample.index)
            }
        }
        #expect(faults == [5])

        (sample.labels, sample.classNames, sample.splits) = (nil, nil, nil)
        let bare = try Dataset(path: sample.write("bare.h5")).sample(at: 0)
        #expect(bare.label == nil && bare.className == nil && bare.split == nil)
    }

    @Test("joined files give each part's samples, and name the one that is corrupt in its own file")
    func joined() throws {
        let first = try SampleDataset(folder).write("1.h5")
        var paths = [first]
        for number in 2..<5 {
            let copy = folder.path("\(number).h5")
            let writer = try DatasetWriter(
                path: copy, sampleCount: 7, imageShape: ImageShape(channels: 1, height: 5, width: 4),
                elementType: .uint8, color: "other")
            for index in 0..<7 {
                let pixels = Array(repeating: UInt8(number * 10 + index), count: 20)
                try writer.write(Tensor(shape: TensorShape([1, 5, 4]), elements: pixels), at: index)
            }
            var table = try Dataset(path: first).table()
            table.ids = (0..<7).map { "\(number)/\($0)" }
            _ = try writer.finish(table)
            paths.append(copy)
        }
        try spoilChecksum(of: 2, in: paths[2])
        let dataset = try Dataset.joining(paths)
        #expect(dataset.sampleCount == 28)
        for index in 0..<28 where index != 16 {
            let (part, own) = index.quotientAndRemainder(dividingBy: 7)
            let expected = try Dataset(path: paths[part]).image(at: own).elements
            #expect(try dataset.image(at: index).elements == expected)
        }
        let error = try #require(throws: DatasetError.self) { try dataset.image(at: 16) }
        #expect(error.code == .checksumMismatch && error.path == paths[2] + ":/images")
        #expect(error.message.contains("sample 2 (“3/2”)"))
        #expect(try dataset.samples(inSplit: "test").map(\.id)[3...5] == ["2/4", "2/5", "2/6"])
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        let code: DatasetError.Code
        let message: String
        let spoil: @Sendable (RawFile) -> RawFile

        var testDescription: String { "\(code): \(message)" }
    }

    static let faults: [Fault] = [
        Fault(code: .wrongFormat, message: "no attribute “format”") { $0.setting("format", to: nil) },
        Fault(code: .wrongFormat, message: "this is a mask set") {
            $0.setting("format", to: .string("rrdata.masks"))
        },
        Fault(code: .unsupportedVersion, message: "“2.0”") {
            $0.setting("format_version", to: .string("2.0"))
        },
        Fault(code: .unsupportedVersion, message: "missing") { $0.setting("format_version", to: nil) },
        Fault(code: .missingObject, message: "the file holds") { $0.setting(array: "/images", to: nil) },
        Fault(code: .missingObject, message: "the file holds") { $0.setting(array: "/checksum", to: nil) },
        Fault(code: .missingObject, message: "“fingerprint” is missing") {
            $0.setting("fingerprint", to: nil)
        },
        Fault(code: .missingObject, message: "split_names") { $0.setting("split_names", to: nil) },
        Fault(code: .wrongAttribute, message: "no text") { $0.setting("fingerprint", to: .integer(3)) },
        Fault(code: .wrongAttribute, message: "no list") { $0.setting("class_names", to: .string("x")) },
        Fault(code: .wrongShape, message: "(N, C, H, W)") {
            $0.setting(array: "/images", to: .bytes(Array(repeating: 0, count: 60), [3, 5, 4]))
        },
        Fault(code: .empty, message: "no pixels") {
            $0.setting(array: "/images", to: .bytes([], [0, 1, 5, 4]))
        },
        Fault(code: .wrongType, message: "int64") {
            $0.setting(array: "/images", to: .integers(Array(repeating: 0, count: 60), [3, 1, 5, 4]))
        },
        Fault(code: .wrongShape, message: "there are 3 images") {
            $0.setting(array: "/labels", to: .integers([0, 1], [2]))
        },
        Fault(code: .wrongType, message: "integers") {
            $0.setting(array: "/labels", to: .floats([0, 1, 1], [3]))
        },
        Fault(code: .labelOutOfRange, message: "sample 2 has the label 2") {
            $0.setting(array: "/labels", to: .integers([0, 1, 2], [3]))
        },
        Fault(code: .labelOutOfRange, message: "sample 0 has the label -1") {
            $0.setting(array: "/labels", to: .integers([-1, 1, 1], [3]))
        },
        Fault(code: .labelOutOfRange, message: "sample 1") {
            $0.setting("class_names", to: nil).setting(array: "/labels", to: .integers([0, .max, 1], [3]))
        },
        Fault(code: .splitOutOfRange, message: "sample 1 is in split 2") {
            $0.setting(array: "/split", to: .bytes([0, 2, 0], [3]))
        },
        Fault(code: .groupOutOfRange, message: "sample 2 is in group -1") {
            $0.setting(array: "/group", to: .integers([0, 2, -1], [3]))
        },
        Fault(code: .groupOutOfRange, message: "sample 1 is in group 9223372036854775807") {
            $0.setting(array: "/group", to: .integers([0, .max, 1], [3]))
        },
        Fault(code: .wrongShape, message: "there are 3 images") {
            $0.setting(array: "/group", to: .integers([0, 1], [2]))
        },
    ]

    @Test("a file that is no sound dataset is refused by name", arguments: faults)
    func refused(fault: Fault) throws {
        let path = try fault.spoil(RawFile.dataset()).write(to: folder.path("d.h5"))
        let error = try #require(throws: DatasetError.self) { try Dataset(path: path) }
        #expect(error.code == fault.code)
        #expect(error.message.contains(fault.message), "\(error)")
        #expect(error.path.hasPrefix(path))
    }

    @Test("a missing file, a text file and a truncated file are told apart")
    func noFile() throws {
        func code(_ path: String) throws -> FormatError.Code {
            try #require(throws: FormatError.self) { try Dataset(path: path) }.code
        }
        #expect(try code(folder.path("none.h5")) == .notFound)
        #expect(try code(folder.write(Array("not HDF5".utf8), to: "text.h5")) == .malformed)
        let path = try SampleDataset(folder).write()
        let bytes = try FileBytes.read(path)
        #expect(try code(folder.write(Array(bytes.dropLast(bytes.count / 4)), to: "cut.h5")) == .malformed)
    }

    @Test("the images of a file that shrank while it was open are an error")
    func shrunk() throws {
        let dataset = try Dataset(path: SampleDataset(folder, height: 100, width: 100).write())
        _ = try read(dataset, 0)
        #expect(truncate(dataset.path, 10_000) == 0)
        let error = try #require(throws: FormatError.self) { try read(dataset, 6) }
        #expect(error.message.contains("cut short"))
    }
}

/// Changes the stored checksum of a sample, as if its pixels were damaged.
func spoilChecksum(of index: Int, in path: String) throws {
    try rewrite("/checksum", of: path, as: UInt32.self) { $0[index] ^= 1 }
}
