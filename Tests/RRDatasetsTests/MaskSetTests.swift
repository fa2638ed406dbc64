import RRDatasets
import RRFormats
import RRSchemas
import RRTensor
import TestSupport
import Testing

@Suite("Mask sets")
struct MaskSetTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func expand(_ masks: MaskSet, _ index: Int, channels: Int) -> (isAnnotated: Bool, bytes: [UInt8])
    {
        var bytes = [UInt8](repeating: 9, count: channels * masks.maskShape.pixelCount)
        let isAnnotated = bytes.withUnsafeMutableBufferPointer {
            masks.expandMask(ofSample: index, channels: channels, into: $0)
        }
        return (isAnnotated, bytes)
    }

    @Test("each sample gets the mask of its row, unannotated ones a mask of zeros", arguments: [1, 3])
    func roundTrip(channels: Int) throws {
        let sample = try SampleDataset(folder, channels: channels)
        let dataset = try Dataset(path: sample.write())
        let masks = try MaskSet(path: sample.writeMasks(), for: dataset)
        #expect(masks.sampleCount == 7)
        #expect(masks.annotatedCount == 3)
        #expect(masks.maskShape.dimensions == [1, 5, 4])
        #expect(try masks.datasetFingerprint == dataset.fingerprint)
        #expect(try masks.bits == sample.masks(dataset.fingerprint).bits)
        for index in 0..<7 {
            var plane = [UInt8](repeating: 0, count: 20)
            let isAnnotated = [1, 4, 6].contains(index)
            if isAnnotated { plane[index] = 1 }
            let mask = expand(masks, index, channels: channels)
            #expect(mask.isAnnotated == isAnnotated)
            #expect(mask.bytes == Array(repeating: plane, count: channels).flatMap { $0 })
            #expect(masks.isAnnotated(index) == isAnnotated)
        }
    }

    @Test("a mask of every channel stays as it is")
    func channels() throws {
        let shape = try ImageShape(channels: 2, height: 2, width: 2)
        var bits = try MaskBits(rowCount: 2, elementsPerRow: 8)
        bits[0, 1] = true
        bits[0, 6] = true
        let masks = try MaskSet(bits: bits, rows: [0, 1], maskShape: shape, datasetFingerprint: "f")
        #expect(expand(masks, 0, channels: 2).bytes == [0, 1, 0, 0, 0, 0, 1, 0])
        #expect(expand(masks, 1, channels: 2).bytes == [0, 0, 0, 0, 0, 0, 0, 0])
    }

    @Test("a sample whose mask is all zero counts as unannotated")
    func zeroMask() throws {
        let shape = try ImageShape(channels: 1, height: 1, width: 2)
        let masks = try MaskSet(
            bits: MaskBits(rowCount: 2, elementsPerRow: 2), rows: [0, 1], maskShape: shape,
            datasetFingerprint: "f")
        #expect(masks.annotatedCount == 0)
        #expect(!expand(masks, 0, channels: 1).isAnnotated)
    }

    @Test("the same masks make the same bytes, and an output that exists is kept")
    func stableBytes() throws {
        let sample = try SampleDataset(folder)
        try sample.write()
        let first = try FileBytes.read(sample.writeMasks(for: "d.h5", "1.h5"))
        #expect(try FileBytes.read(sample.writeMasks(for: "d.h5", "2.h5")) == first)
        let error = try #require(throws: FormatError.self) {
            try MaskSetWriter.write(
                sample.masks("f"), provenance: [:], path: folder.path("1.h5"), force: false)
        }
        #expect(error.code == .outputExists)
        #expect(try folder.names() == ["1.h5", "2.h5", "d.h5"])
    }

    @Test("masks in memory that break the rules are refused")
    func inMemory() throws {
        let shape = try ImageShape(channels: 1, height: 1, width: 2)
        var bits = try MaskBits(rowCount: 2, elementsPerRow: 2)
        func code(_ bits: MaskBits, _ rows: [Int]) throws -> DatasetError.Code {
            try #require(throws: DatasetError.self) {
                try MaskSet(bits: bits, rows: rows, maskShape: shape, datasetFingerprint: "f")
            }.code
        }
        #expect(try code(bits, [0, 2]) == .rowOutOfRange)
        #expect(try code(bits, [-1]) == .rowOutOfRange)
        #expect(try code(MaskBits(rowCount: 2, elementsPerRow: 3), [0]) == .wrongShape)
        #expect(try code(MaskBits(rowCount: 0, elementsPerRow: 2), []) == .wrongShape)
        bits[1, 0] = true
        #expect(try code(bits, [0]) == .lastRowNotZero)
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        let code: DatasetError.Code
        let message: String
        let spoil: @Sendable (RawFile) -> RawFile

        var testDescription: String { "\(code): \(message)" }
    }

    static let faults: [Fault] = [
        Fault(code: .wrongFormat, message: "this is a dataset") {
            $0.setting("format", to: .string("rrdata.dataset"))
        },
        Fault(code: .unsupportedVersion, message: "3.1") { $0.setting("format_version", to: .string("3.1")) },
        Fault(code: .otherDataset, message: "for 4 samples, but") {
            $0.setting(array: "/row", to: .integers([1, 2, 0, 0], [4]))
        },
        Fault(code: .otherDataset, message: "for 2 samples, but") {
            $0.setting(array: "/row", to: .integers([1, 2], [2])).setting("dataset_fingerprint", to: nil)
        },
        Fault(code: .otherDataset, message: "made for another dataset") {
            $0.setting("dataset_fingerprint", to: .string(String(repeating: "0", count: 64)))
        },
        Fault(code: .missingObject, message: "dataset_fingerprint") {
            $0.setting("dataset_fingerprint", to: nil)
        },
        Fault(code: .wrongMaskSize, message: "C = 1, H = 6, W = 4, but the images") {
            $0.setting(array: "/A", to: RawFile.masks([3, 1, 6, 4]))
        },
        Fault(code: .wrongMaskSize, message: "A is (N,H,W,C)") {
            $0.setting(array: "/A", to: RawFile.masks([3, 5, 4, 1]))
        },
        Fault(code: .wrongMaskSize, message: "A is (N,C,W,H)") {
            $0.setting(array: "/A", to: RawFile.masks([3, 1, 4, 5]))
        },
        Fault(code: .wrongMaskSize, message: "C = 3") {
            $0.setting(array: "/A", to: RawFile.masks([3, 3, 5, 4]))
        },
        Fault(code: .wrongShape, message: "(M+1, C or 1, H, W)") {
            $0.setting(array: "/A", to: RawFile.masks([3, 5, 4]))
        },
        Fault(code: .wrongType, message: "float32") {
            $0.setting(array: "/A", to: .floats(Array(repeating: 0, count: 60), [3, 1, 5, 4]))
        },
        Fault(code: .nonBinaryMask, message: "A[1, 0, 1, 2] is 2") {
            $0.setting(array: "/A", to: RawFile.masks([3, 1, 5, 4], [26: 2]))
        },
        Fault(code: .rowOutOfRange, message: "sample 1 has row 3") {
            $0.setting(array: "/row", to: .integers([0, 3, 1], [3]))
        },
        Fault(code: .rowOutOfRange, message: "sample 2 has row -1") {
            $0.setting(array: "/row", to: .integers([0, 1, -1], [3]))
        },
        Fault(code: .lastRowNotZero, message: "row 2") {
            $0.setting(array: "/A", to: RawFile.masks([3, 1, 5, 4], [59: 1]))
        },
        Fault(code: .missingObject, message: "the file holds") { $0.setting(array: "/row", to: nil) },
        Fault(code: .wrongShape, message: "(N)") {
            $0.setting(array: "/row", to: .integers([0, 0, 0], [3, 1]))
        },
    ]

    @Test("a file that is no sound mask set for the dataset is refused by name", arguments: faults)
    func refused(fault: Fault) throws {
        let dataset = try Dataset(path: RawFile.dataset().write(to: folder.path("d.h5")))
        let path = try fault.spoil(RawFile.masks()).write(to: folder.path("m.h5"))
        let error = try #require(throws: DatasetError.self) { try MaskSet(path: path, for: dataset) }
        #expect(error.code == fault.code)
        #expect(error.message.contains(fault.message), "\(error)")
        #expect(error.path.hasPrefix(path))
    }

    @Test("masks of a dataset that differs in its pixels only are refused")
    func otherPixels() throws {
        var sample = try SampleDataset(folder)
        try sample.write("d.h5")
        sample.pixelOffset = 1
        let other = try Dataset(path: sample.write("other.h5"))
        let path = try sample.writeMasks(for: "d.h5")
        let error = try #require(throws: DatasetError.self) { try MaskSet(path: path, for: other) }
        #expect(error.code == .otherDataset)
        #expect(throws: DatasetError.self) { try sample.masks("f").check(for: other) }
    }
}
