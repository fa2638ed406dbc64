import RRDatasets
import RRFormats
import RRPreparation
import RRSchemas
import RRTensor
import TestSupport
import Testing

@Suite("Validation")
struct ValidationTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        let code: Finding.Code
        let message: String
        var severity = Finding.Severity.fault
        var repair: Repair?
        let spoil: @Sendable (RawFile) -> RawFile

        var testDescription: String { "\(code.rawValue): \(message)" }
    }

    private func check(_ fault: Fault, _ report: ValidationReport, path: String) {
        let found = report.findings.filter {
            $0.code == fault.code && $0.severity == fault.severity && $0.place.file == path
                && $0.message.contains(fault.message) && (fault.repair == nil || $0.repair == fault.repair)
        }
        #expect(!found.isEmpty, "\(report.findings.map(\.description))")
        #expect((report.faultCount > 0) == (fault.severity == .fault))
    }

    @Test(
        "a sound dataset and its masks have no findings", arguments: Compression.allCases,
        ImageElementType.allCases)
    func sound(compression: Compression, elementType: ImageElementType) throws {
        var sample = try SampleDataset(folder)
        (sample.compression, sample.elementType) = (compression, elementType)
        let report = try ValidationReport(datasetPath: sample.write(), maskPaths: [sample.writeMasks()])
        #expect(report.findings == [])
        #expect(report.dataset?.sampleCount == 7)
        #expect(report.masks.map(\.annotatedCount) == [3])
        #expect(report.masks.map(\.unannotatedCount) == [4])
        #expect(report.isSound)
        #expect(report.masks.map(\.meanCoverage) == [0.05])
    }

    static let datasetFaults: [Fault] = [
        Fault(code: .wrongFormat, message: "“format” is missing") { $0.setting("format", to: nil) },
        Fault(code: .wrongFormat, message: "this is a mask set") {
            $0.setting("format", to: .string("rrdata.masks"))
        },
        Fault(code: .wrongFormat, message: "“tables”") { $0.setting("format", to: .string("tables")) },
        Fault(code: .unsupportedVersion, message: "2.0") { $0.setting("format_version", to: .string("2.0")) },
        Fault(code: .schema, message: "\"format_version\" is missing") {
            $0.setting("format_version", to: nil)
        },
        Fault(code: .schema, message: "\"color\" is missing") { $0.setting("color", to: nil) },
        Fault(code: .schema, message: "\"images\" is missing") { $0.setting(array: "/images", to: nil) },
        Fault(code: .schema, message: "\"ids\" is missing") { $0.setting(array: "/ids", to: nil) },
        Fault(code: .schema, message: "expected one of \"uint8\"") {
            $0.setting(array: "/images", to: .integers(Array(repeating: 0, count: 60), [3, 1, 5, 4]))
        },
        Fault(code: .schema, message: "expected 4, found 3") {
            $0.setting(array: "/images", to: .bytes(Array(repeating: 0, count: 60), [3, 5, 4]))
        },
        Fault(code: .schema, message: "expected \"int64\", found \"uint8\"") {
            $0.setting(array: "/labels", to: .bytes([0, 1, 1], [3]))
        },
        Fault(code: .schema, message: "split_names") { $0.setting("split_names", to: nil) },
        Fault(code: .schema, message: "expected an object") {
            $0.setting("provenance", to: .string("not JSON"))
        },
        Fault(code: .wrongCount, message: "2 elements, but 3 images") {
            $0.setting(array: "/labels", to: .integers([0, 1], [2]))
        },
        Fault(code: .wrongCount, message: "2 elements, but 3 images") {
            $0.setting(array: "/ids", to: .strings(["a", "b"]))
        },
        Fault(code: .duplicateId, message: "samples 0 and 2 are both “a”") {
            $0.setting(array: "/ids", to: .strings(["a", "b", "a"]))
        },
        Fault(code: .labelOutOfRange, message: "sample 2 (“c”) has 2") {
            $0.setting(array: "/labels", to: .integers([0, 1, 2], [3]))
        },
        Fault(code: .labelOutOfRange, message: "sample 0 (“a”) has -1") {
            $0.setting(array: "/labels", to: .integers([-1, 1, .max], [3]))
        },
        Fault(code: .splitOutOfRange, message: "sample 1 (“b”) has 9") {
            $0.setting(array: "/split", to: .bytes([0, 9, 0], [3]))
        },
        Fault(code: .groupOutOfRange, message: "sample 1 (“b”) has -2") {
            $0.setting(array: "/group", to: .integers([0, -2, 0], [3]))
        },
        Fault(code: .checksumMismatch, message: "sample 1 (“b”)") {
            $0.setting(array: "/images", to: .bytes((0..<60).map { $0 == 30 ? 99 : $0 }, [3, 1, 5, 4]))
        },
        Fault(code: .wrongFingerprint, message: "the stored fingerprint is 0000") {
            $0.setting("fingerprint", to: .string(String(repeating: "0", count: 64)))
        },
        Fault(code: .wrongFingerprint, message: "changed after its import") {
            $0.setting(array: "/labels", to: .integers([1, 1, 1], [3]))
        },
        Fault(code: .notFinite, message: "sample 0 (“a”)") {
            $0.setting(
                array: "/images", to: .floats((0..<60).map { $0 == 3 ? .nan : Float($0) / 60 }, [3, 1, 5, 4]))
        },
        Fault(code: .missingDimensionLabels, message: "DIMENSION_LABELS", severity: .warning) {
            $0.setting("DIMENSION_LABELS", to: nil)
        },
    ]

    @Test("a fault of a dataset is found, named and explained", arguments: datasetFaults)
    func datasetFault(fault: Fault) throws {
        let path = try fault.spoil(RawFile.dataset()).write(to: folder.path("d.h5"))
        check(fault, try ValidationReport(datasetPath: path), path: path)
    }

    static let maskFaults: [Fault] = [
        Fault(code: .otherDataset, message: "made for another dataset") {
            $0.setting("dataset_fingerprint", to: .string(String(repeating: "a", count: 64)))
        },
        Fault(code: .otherDataset, message: "for 4 samples, but") {
            $0.setting(array: "/row", to: .integers([0, 1, 2, 2], [4]))
        },
        Fault(code: .wrongMaskSize, message: "H = 6, W = 7, but the images") {
            $0.setting(array: "/A", to: RawFile.masks([3, 1, 6, 7]))
        },
        Fault(code: .wrongMaskLayout, message: "A is (N,H,W,C)") {
            $0.setting(array: "/A", to: RawFile.masks([3, 5, 4, 1]))
        },
        Fault(
            code: .wrongMaskLayout, message: "A is (N,H,W,C)", repair: .importSourceOfMasks(layout: .nhwc)
        ) {
            $0.setting(array: "/A", to: RawFile.masks([3, 5, 4, 1]))
        },
        Fault(code: .wrongMaskLayout, message: "A is (N,H,W)") {
            $0.setting(array: "/A", to: RawFile.masks([3, 5, 4]))
        },
        Fault(code: .nonBinaryMask, message: "A[1, 0, 1, 2] is 2, the mask of sample 0 (“a”)") {
            $0.setting(array: "/A", to: RawFile.masks([3, 1, 5, 4], [3: 1, 26: 2]))
        },
        Fault(code: .nonBinaryMask, message: "A holds 0 and 255") {
            $0.setting(array: "/A", to: RawFile.masks([3, 1, 5, 4], [3: 255, 26: 255]))
        },
        Fault(code: .rowOutOfRange, message: "sample 1 (“b”) has row 3, sample 2 (“c”) has row -1") {
            $0.setting(array: "/row", to: .integers([0, 3, -1], [3]))
        },
        Fault(code: .rowOutOfRange, message: "In NumPy and PyTorch, −1 is the last row") {
            $0.setting(array: "/row", to: .integers([0, -1, 1], [3]))
        },
        Fault(code: .rowsFromOne, message: "counted from 1", repair: .countRowsFromZero) {
            $0.setting(array: "/row", to: .integers([1, 2, 3], [3]))
        },
        Fault(code: .rowsFromOne, message: "sample 0 has row 1", severity: .warning) {
            $0.setting(array: "/A", to: RawFile.masks([4, 1, 5, 4], [3: 1, 26: 1, 50: 1])).setting(
                array: "/row", to: .integers([1, 2, 3], [3]))
        },
        Fault(code: .classOrderChanged, message: "“x” was 1, now 0; “y” was 0, now 1") {
            $0.setting("dataset_fingerprint", to: Self.fingerprint(labels: [1, 0, 0]))
        },
        Fault(code: .classOrderChanged, message: "labels one higher") {
            $0.setting("dataset_fingerprint", to: Self.fingerprint(labels: [1, 2, 2]))
        },
        Fault(code: .classOrderChanged, message: "without labels") {
            $0.setting("dataset_fingerprint", to: Self.fingerprint(labels: nil))
        },
        Fault(code: .otherDataset, message: "whose ids were row numbers") {
            $0.setting(
                "dataset_fingerprint", to: Self.fingerprint(ids: ["0", "1", "2"], labels: [0, 1, 1]))
        },
        Fault(code: .otherDataset, message: "what `rrdata decoy` made of it") {
            $0.setting("dataset_fingerprint", to: .string(String(repeating: "a", count: 64))).setting(
                "provenance", to: Self.decoyProvenance)
        },
        Fault(code: .lastRowNotZero, message: "row 2") {
            $0.setting(array: "/A", to: RawFile.masks([3, 1, 5, 4], [3: 1, 59: 1]))
        },
        Fault(code: .schema, message: "expected \"uint8\", found \"float32\"") {
            $0.setting(
                array: "/A",
                to: .floats(Array(repeating: 1, count: 40) + Array(repeating: 0, count: 20), [3, 1, 5, 4]))
        },
        Fault(code: .schema, message: "\"row\" is missing") { $0.setting(array: "/row", to: nil) },
        Fault(code: .schema, message: "\"dataset_fingerprint\" is missing") {
            $0.setting("dataset_fingerprint", to: nil)
        },
        Fault(code: .wrongFormat, message: "this is a dataset") {
            $0.setting("format", to: .string("rrdata.dataset"))
        },
        Fault(code: .unsupportedVersion, message: "9.9") { $0.setting("format_version", to: .string("9.9")) },
        Fault(
            code: .mostlyMasked, message: "the right region", severity: .warning,
            repair: .invertMasks(areImported: true)
        ) {
            $0.setting(
                array: "/A",
                to: .bytes(Array(repeating: 1, count: 40) + Array(repeating: 0, count: 20), [3, 1, 5, 4]))
        },
        Fault(code: .unusedMasks, message: "no sample refers to row 0", severity: .warning) {
            $0.setting(array: "/row", to: .integers([1, 2, 2], [3]))
        },
        Fault(code: .nothingMasked, message: "without masks", severity: .warning) {
            $0.setting(array: "/A", to: RawFile.masks([3, 1, 5, 4]))
        },
    ]

    @Test("a fault of a mask set is found, named and explained", arguments: maskFaults)
    func maskFault(fault: Fault) throws {
        let dataset = try RawFile.dataset().write(to: folder.path("d.h5"))
        let path = try fault.spoil(RawFile.masks()).write(to: folder.path("m.h5"))
        check(fault, try ValidationReport(datasetPath: dataset, maskPaths: [path]), path: path)
    }

    /// The fingerprint of `RawFile.dataset()` with other ids and labels.
    private static func fingerprint(ids: [String] = ["a", "b", "c"], labels: [Int]?) -> HDF5Attribute {
        let checksums = (0..<3).map { index in
            (0..<20).map { UInt8(index * 20 + $0) }.withUnsafeBytes { CRC32.checksum(of: $0) }
        }
        guard let shape = try? ImageShape(channels: 1, height: 5, width: 4) else { return .other }
        return .string(
            DatasetFingerprint.compute(
                id: { ids[$0] }, labels: labels, imageShape: shape, checksums: checksums))
    }

    private static var decoyProvenance: HDF5Attribute {
        guard case .string(let fingerprint)? = try? RawFile.dataset().attribute("fingerprint") else {
            return .other
        }
        return .string(#"{"command": "decoy", "source": "\#(fingerprint)"}"#)
    }

    @Test("a cyclic order of three classes is found among all orders")
    func cyclicOrder() throws {
        var sample = try SampleDataset(folder)
        sample.labels = [0, 1, 2, 0, 1, 2, 0].map { ($0 + 1) % 3 }
        try sample.write("old.h5")
        let masks = try sample.writeMasks(for: "old.h5")
        sample.labels = [0, 1, 2, 0, 1, 2, 0]
        let findings = try ValidationReport(datasetPath: sample.write(), maskPaths: [masks]).findings
        #expect(findings.map(\.code) == [.classOrderChanged])
        #expect(
            findings.first?.message.contains("“coat” was 1, now 0; “bag” was 2, now 1; “boot” was 0, now 2")
                == true)
    }

    /// Images with a bright square at a place of their own, and masks of the squares, shifted by samples.
    private func writeSquares(shift: Int, randomMasks: Bool = false) throws -> ValidationReport {
        let (count, size) = (40, 12)
        let shape = try ImageShape(channels: 3, height: size, width: size)
        var generator = SplitMix64(seed: 7)
        let places = (0..<count).map { _ in
            (Int(generator.nextUnit() * Double(size - 4)), Int(generator.nextUnit() * Double(size - 4)))
        }
        var images: [[UInt8]] = []
        var bits = try MaskBits(rowCount: count + 1, elementsPerRow: size * size)
        for index in 0..<count {
            var pixels = (0..<3 * size * size).map { _ in UInt8(generator.nextUnit() * 60) }
            for row in 0..<4 {
                for column in 0..<4 {
                    let pixel = (places[index].0 + row) * size + places[index].1 + column
                    for channel in 0..<3 { pixels[channel * size * size + pixel] += 150 }
                }
            }
            images.append(pixels)
            let place = places[(index + shift + count) % count]
            for row in 0..<4 {
                for column in 0..<4 {
                    let pixel =
                        randomMasks
                        ? Int(generator.nextUnit() * Double(size * size))
                        : (place.0 + row) * size + place.1 + column
                    bits[index, pixel] = true
                }
            }
        }
        var sample = try SampleDataset(folder, images: images, of: shape)
        (sample.maskBits, sample.maskRows) = (bits, Array(0..<count))
        return try ValidationReport(datasetPath: sample.write(), maskPaths: [sample.writeMasks()])
    }

    @Test("masks that fit the image before or after their own are told", arguments: [-1, 1])
    func shiftedMasks(shift: Int) throws {
        let findings = try writeSquares(shift: shift).findings
        #expect(findings.map(\.code) == [.shiftedMasks])
        #expect(findings.first?.severity == .warning)
        #expect(findings.first?.message.contains(shift > 0 ? "after" : "before") == true)
        #expect(findings.first?.repair == .moveRows(by: -shift))
    }

    @Test("masks that fit their own images, or none, are not taken for shifted")
    func notShifted() throws {
        #expect(try writeSquares(shift: 0).findings == [])
        #expect(try writeSquares(shift: 0, randomMasks: true).findings == [])
        #expect(try writeSquares(shift: 2).findings == [])
    }

    @Test("of a large dataset a part is read, spread evenly from the first image to the last")
    func quick() throws {
        let count = 1000
        let writer = try DatasetWriter(
            path: folder.path("d.h5"), force: true, sampleCount: count,
            imageShape: ImageShape(channels: 1, height: 10, width: 10), elementType: .uint8, color: "gray",
            compression: .none)
        let zeros = [UInt8](repeating: 0, count: count * 100)
        let checksum = zeros.prefix(100).withUnsafeBytes { CRC32.checksum(of: $0) }
        // Only the last image has a wrong checksum.
        try zeros.withUnsafeBytes { bytes in
            try writer.write(
                images: bytes, rows: 0..<count,
                checksums: Array(repeating: checksum, count: count - 1) + [checksum &+ 1])
        }
        _ = try writer.complete(SampleTable(ids: (0..<count).map(String.init)), provenance: [:])
        try writer.output.commit()
        for (limit, read) in [(6400, 64), (12_800, 128), (.max, 1000)] {
            let report = try ValidationReport(datasetPath: folder.path("d.h5"), imageByteLimit: limit)
            #expect(report.dataset?.checkedImageCount == read)
            #expect(report.findings.map(\.code) == [.checksumMismatch])
        }
    }

    @Test("masks of a dataset that differs in its pixels only are those of another dataset")
    func otherPixels() throws {
        var sample = try SampleDataset(folder)
        try sample.write("d.h5")
        sample.pixelOffset = 1
        let other = try sample.write("other.h5")
        let report = try ValidationReport(datasetPath: other, maskPaths: [sample.writeMasks(for: "d.h5")])
        #expect(report.findings.map(\.code) == [.otherDataset])
    }

    @Test("all faults are told, not the first only")
    func several() throws {
        let dataset = try RawFile.dataset()
            .setting(array: "/ids", to: .strings(["a", "a", "a"])).setting(
                array: "/labels", to: .integers([0, 5, 6], [3])
            )
            .setting("color", to: nil).write(to: folder.path("d.h5"))
        let masks = try RawFile.masks()
            .setting(array: "/row", to: .integers([0, 9, 9], [3])).setting(
                array: "/A", to: RawFile.masks([3, 1, 5, 4], [0: 2, 59: 1])
            )
            .write(to: folder.path("m.h5"))
        let codes = try ValidationReport(datasetPath: dataset, maskPaths: [masks]).findings.map(\.code)
        let expected: [Finding.Code] = [
            .schema, .duplicateId, .labelOutOfRange, .wrongFingerprint, .rowOutOfRange, .nonBinaryMask,
            .lastRowNotZero,
        ]
        #expect(Set(codes).isSuperset(of: expected))
    }

    @Test("a long list of faults is cut short, with its length")
    func manyExamples() throws {
        let path = try RawFile.masks().setting(
            array: "/row", to: .integers(Array(repeating: 7, count: 25), [25])
        )
        .write(to: folder.path("m.h5"))
        let dataset = try RawFile.dataset().write(to: folder.path("d.h5"))
        let findings = try ValidationReport(datasetPath: dataset, maskPaths: [path]).findings
        #expect(findings.first { $0.code == .rowOutOfRange }?.message.hasSuffix("and 15 more") == true)
    }

    @Test("a text file and a truncated file are findings, a missing file is an error")
    func files() throws {
        let sample = try SampleDataset(folder)
        let dataset = try sample.write()
        let masks = try sample.writeMasks()
        let text = try folder.write(Array("hello".utf8), to: "text.h5")
        for path in [dataset, masks] {
            let bytes = try FileBytes.read(path)
            try folder.write(Array(bytes.dropLast(bytes.count / 3)), to: "cut-" + path.suffix(4))
        }
        func codes(_ path: String, _ masks: [String]) throws -> [Finding.Code] {
            try ValidationReport(datasetPath: path, maskPaths: masks).findings.map(\.code)
        }
        #expect(try codes(text, []) == [.unreadableFile])
        #expect(try codes(folder.path("cut-d.h5"), []) == [.unreadableFile])
        #expect(try codes(dataset, [text, folder.path("cut-m.h5")]) == [.unreadableFile, .unreadableFile])
        #expect(try codes(folder.path, []) == [.unreadableFile])
        for (path, masks) in [(folder.path("none.h5"), []), (dataset, [folder.path("none.h5")])] {
            let error = try #require(throws: FormatError.self) { try codes(path, masks) }
            #expect(error.code == .notFound)
            #expect(error.path == folder.path("none.h5"))
        }
    }

    @Test("a damaged block of compressed images is told, sample by sample, and the rest is still checked")
    func damagedBlock() throws {
        var sample = try SampleDataset(folder, height: 200, width: 200)
        sample.compression = .deflate
        let path = try sample.write()
        let sound = try HDF5File(reading: path).dataset("/images").storageSize
        var bytes = try FileBytes.read(path)
        let start = try #require(
            bytes.indices.first {
                bytes[$0...].starts(with: [0x78, 0x5E]) || bytes[$0...].starts(with: [0x78, 0x9C])
            })
        for place in start + 20..<start + min(200, sound / 7) { bytes[place] ^= 0x5A }
        try FileBytes.write(bytes, to: path)
        let findings = try ValidationReport(datasetPath: path).findings
        let finding = try #require(
            findings.first { $0.code == .unreadableArray || $0.code == .checksumMismatch })
        #expect(finding.message.contains("(“sample/"))
        #expect(!finding.message.contains("sample/0”") || !finding.message.contains("sample/6”"))
    }

    @Test("masks are judged also where the dataset cannot be read")
    func withoutDataset() throws {
        let text = try folder.write(Array("hello".utf8), to: "text.h5")
        let masks = try RawFile.masks().setting(array: "/row", to: .integers([0, 1, 9], [3])).write(
            to: folder.path("m.h5"))
        let codes = try ValidationReport(datasetPath: text, maskPaths: [masks]).findings.map(\.code)
        #expect(codes == [.unreadableFile, .rowOutOfRange])
    }
}
