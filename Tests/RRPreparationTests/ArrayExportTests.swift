import RRDatasets
import RRFormats
import RRPreparation
import RRSchemas
import RRTensor
import TestSupport
import Testing

@Suite("Exporting arrays and shards")
struct ArrayExportTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func source(_ elementType: ImageElementType) throws -> (SampleDataset, ExportSource) {
        var sample = try SampleDataset(folder, channels: 3)
        sample.elementType = elementType
        let dataset = try Dataset(path: sample.write())
        return (
            sample,
            try ExportSource(dataset: dataset, masks: MaskSet(path: sample.writeMasks(), for: dataset))
        )
    }

    /// The stored elements `(C, H, W)` in the order of a layout, each as its bytes.
    private func arranged(_ bytes: [UInt8], _ sample: SampleDataset, _ layout: ArrayExport.Layout) -> [UInt8]
    {
        guard layout == .nhwc else { return bytes }
        let size = sample.elementType.size
        let pixelCount = sample.shape.pixelCount
        var target: [UInt8] = []
        for pixel in 0..<pixelCount {
            for channel in 0..<sample.shape.channels {
                let start = (channel * pixelCount + pixel) * size
                target += bytes[start..<start + size]
            }
        }
        return target
    }

    /// The masks of all samples.
    private static let expectedMasks: [UInt8] = {
        var masks = [UInt8](repeating: 0, count: 7 * 20)
        for sample in [1, 4, 6] { masks[sample * 20 + sample] = 1 }
        return masks
    }()

    @Test(
        "NPY arrays have the images' bytes, masks for every sample, labels, splits and ids",
        arguments: ImageElementType.allCases, ArrayExport.Layout.allCases)
    func npy(elementType: ImageElementType, layout: ArrayExport.Layout) throws {
        let (sample, source) = try source(elementType)
        var export = ArrayExport(source: source, format: .npy, output: folder.path("out"))
        export.layout = layout
        let summary = try export.run()
        #expect(
            summary.files == ["images.npy", "masks.npy", "row.npy", "labels.npy", "splits.npy", "ids.npy"])
        let descriptor = ["uint8": "|u1", "uint16": "<u2", "float32": "<f4"][elementType.rawValue] ?? ""
        let shape = layout == .nchw ? [7, 3, 5, 4] : [7, 5, 4, 3]
        let images = try FileBytes.read(folder.path("out/images.npy"))
        let head = NPYHeader.bytes(shape: shape, descriptor: descriptor)
        #expect(images.starts(with: head))
        #expect(
            Array(images.dropFirst(head.count))
                == (0..<7).flatMap { arranged(sample.storedBytes(of: $0), sample, layout) })
        let masks = try ArrayFile(path: folder.path("out/masks.npy")).array(nil)
        #expect(masks.shape.dimensions == (layout == .nchw ? [7, 1, 5, 4] : [7, 5, 4, 1]))
        #expect(
            try masks.integers() == Self.expectedMasks.map { Int64($0) })
        #expect(
            try ArrayFile(path: folder.path("out/labels.npy")).array(nil).integers() == [0, 1, 2, 0, 1, 2, 0])
        #expect(
            try ArrayFile(path: folder.path("out/splits.npy")).array(nil).integers() == [0, 0, 0, 0, 1, 1, 1])
        let ids = try FileBytes.read(folder.path("out/ids.npy"))
        #expect(ids.starts(with: NPYHeader.bytes(shape: [7], descriptor: "<U8")))
        #expect(Array(ids.suffix(32)) == Array("sample/6".utf8).flatMap { [$0, 0, 0, 0] })
        let mark = try JSONValue(parsing: FileBytes.read(folder.path("out/export.json")))
        #expect(mark["class_names"] == ["coat", "bag", "boot"])
        #expect(mark["arrays"]?["images.npy"]?["shape"] == .array(shape.map { .integer($0) }))
    }

    @Test("text in ids.npy is UTF-32, shorter ids padded with zeros")
    func unicodeIds() throws {
        let file = try RawFile.dataset().setting(array: "/ids", to: .strings(["é", "猫猫", "x"]))
        let dataset = try Dataset(path: file.write(to: folder.path("d.h5")))
        _ = try ArrayExport(source: ExportSource(dataset: dataset), format: .npy, output: folder.path("out"))
            .run()
        let bytes = try FileBytes.read(folder.path("out/ids.npy"))
        #expect(bytes.starts(with: NPYHeader.bytes(shape: [3], descriptor: "<U2")))
        #expect(
            Array(bytes.suffix(24)) == [
                0xE9, 0, 0, 0, 0, 0, 0, 0, 0x2B, 0x73, 0, 0, 0x2B, 0x73, 0, 0, 0x78, 0, 0, 0, 0, 0, 0, 0,
            ])
    }

    @Test(
        "an import of exported HDF5 arrays is the same dataset, but for its ids",
        arguments: ImageElementType.allCases,
        ArrayExport.Layout.allCases)
    func hdf5(elementType: ImageElementType, layout: ArrayExport.Layout) throws {
        let (sample, source) = try source(elementType)
        var export = ArrayExport(source: source, format: .hdf5, output: folder.path("out.h5"))
        export.layout = layout
        _ = try export.run()
        let file = try HDF5File(reading: folder.path("out.h5"))
        #expect(
            try file.dataset("/images").shape.dimensions == (layout == .nchw ? [7, 3, 5, 4] : [7, 5, 4, 3]))
        #expect(try file.dataset("/ids").readStrings() == (0..<7).map { "sample/\($0)" })
        #expect(try file.dataset("/split").readAll(as: UInt8.self) == [0, 0, 0, 0, 1, 1, 1])
        #expect(try file.attribute("split_names", of: "/split") == .strings(["train", "test"]))
        #expect(try file.attribute("class_names", of: "/labels") == .strings(["coat", "bag", "boot"]))
        #expect(
            try file.dataset("/masks").readAll(as: UInt8.self) == Self.expectedMasks)
        let size = sample.shape.elementCount
        let images = try file.dataset("/images").readAll(as: Float.self)
        for index in 0..<7 {
            let expected = arranged(sample.storedBytes(of: index), sample, layout).withUnsafeBytes { bytes in
                (0..<size).map { position -> Float in
                    switch elementType {
                    case .uint8: Float(bytes[position])
                    case .uint16: Float(bytes.loadUnaligned(fromByteOffset: position * 2, as: UInt16.self))
                    case .float32: bytes.loadUnaligned(fromByteOffset: position * 4, as: Float.self)
                    }
                }
            }
            #expect(Array(images[index * size..<(index + 1) * size]) == expected)
        }
    }

    @Test("shards hold samples in order, a split each, under keys without points and slashes")
    func webDataset() throws {
        let (sample, source) = try source(.uint8)
        var export = WebDatasetExport(source: source, output: folder.path("out"))
        export.samplesPerShard = 3
        let summary = try export.run()
        #expect(summary.files == ["000000.tar", "000001.tar", "000002.tar"])
        let mark = try JSONValue(parsing: FileBytes.read(folder.path("out/export.json")))
        #expect(
            mark["shards"] == [
                ["file": "000000.tar", "samples": 3, "split": "train"],
                ["file": "000001.tar", "samples": 1, "split": "train"],
                ["file": "000002.tar", "samples": 3, "split": "test"],
            ])
        var members: [(String, [UInt8])] = []
        for name in summary.files { members += try tarMembers(folder.path("out/" + name)) }
        #expect(
            members.map(\.0)
                == (0..<7).flatMap { index in [".png", ".cls", ".mask.png"].map { "sample%2F\(index)\($0)" } }
        )
        for index in 0..<7 {
            let image = try PNGDecoder.decode(members[index * 3].1, path: "")
            var stored = sample
            stored.elementType = .uint8
            #expect(image.samples == arranged(sample.storedBytes(of: index), stored, .nhwc))
            #expect(members[index * 3 + 1].1 == Array("\([0, 1, 2, 0, 1, 2, 0][index])".utf8))
        }
    }

    @Test("float images are NPY members, channels first")
    func webDatasetFloat() throws {
        let (sample, source) = try source(.float32)
        _ = try WebDatasetExport(source: source, output: folder.path("out")).run()
        let members = try tarMembers(folder.path("out/000000.tar"))
        #expect(members[0].0 == "sample%2F0.npy")
        #expect(
            members[0].1 == NPYHeader.bytes(shape: [3, 5, 4], type: .float32) + sample.storedBytes(of: 0))
    }

    @Test(
        "every byte of an id but letters, digits, - and _ is escaped",
        arguments: [
            ("a/b.c", "a%2Fb%2Ec"), ("A-z_09", "A-z_09"), ("ü %", "%C3%BC%20%25"), ("猫", "%E7%8C%AB"),
        ])
    func keys(id: String, key: String) throws {
        let file = try RawFile.dataset().setting(array: "/ids", to: .strings([id, "x", "y"]))
        let dataset = try Dataset(path: file.write(to: folder.path("d.h5")))
        _ = try WebDatasetExport(source: ExportSource(dataset: dataset), output: folder.path("out")).run()
        #expect(try tarMembers(folder.path("out/000000.tar"))[0].0 == key + ".png")
    }

    @Test("an empty id is no key, and no shard holds less than a sample")
    func webDatasetRefusals() throws {
        let file = try RawFile.dataset().setting(array: "/ids", to: .strings(["a", "", "y"]))
        let dataset = try Dataset(path: file.write(to: folder.path("d.h5")))
        var export = WebDatasetExport(source: try ExportSource(dataset: dataset), output: folder.path("out"))
        #expect(#expect(throws: DatasetError.self) { try export.run() }?.code == .unsafeId)
        export.samplesPerShard = 0
        #expect(#expect(throws: DatasetError.self) { try export.run() }?.code == .invalidOption)
        #expect(try folder.names() == ["d.h5"])
    }

    @Test("masks of another dataset are refused")
    func otherMasks() throws {
        let (sample, source) = try source(.uint8)
        var other = sample
        other.pixelOffset = 9
        let dataset = try Dataset(path: other.write("other.h5"))
        let error = #expect(throws: DatasetError.self) {
            try ExportSource(dataset: dataset, masks: source.masks)
        }
        #expect(error?.code == .otherDataset)
    }

    @Test("the same dataset makes the same bytes, and an output that exists stays as it is")
    func repeated() throws {
        let (_, source) = try source(.uint8)
        var first: [[UInt8]] = []
        for name in ["one", "two"] {
            _ = try ArrayExport(source: source, format: .npy, output: folder.path("\(name)-npy")).run()
            _ = try ArrayExport(source: source, format: .hdf5, output: folder.path("\(name).h5")).run()
            _ = try WebDatasetExport(source: source, output: folder.path("\(name)-tar")).run()
            let bytes = try [
                "\(name)-npy/images.npy", "\(name)-npy/export.json", "\(name).h5", "\(name)-tar/000000.tar",
            ].map { try FileBytes.read(folder.path($0)) }
            if first.isEmpty { first = bytes } else { #expect(bytes == first) }
        }
        for export in [
            { _ = try ArrayExport(source: source, format: .npy, output: folder.path("one-npy")).run() },
            { _ = try ArrayExport(source: source, format: .hdf5, output: folder.path("one.h5")).run() },
            { _ = try WebDatasetExport(source: source, output: folder.path("one-tar")).run() },
        ] as [() throws -> Void] {
            #expect(#expect(throws: FormatError.self) { try export() }?.code == .outputExists)
        }
    }

    /// The names and contents of an archive without extended headers.
    private func tarMembers(_ path: String) throws -> [(String, [UInt8])] {
        let bytes = try FileBytes.read(path)
        var members: [(String, [UInt8])] = []
        var offset = 0
        while offset < bytes.count, bytes[offset] != 0 {
            let name = String(decoding: bytes[offset..<offset + 100].prefix { $0 != 0 }, as: UTF8.self)
            let size = try #require(
                Int(String(decoding: bytes[offset + 124..<offset + 135], as: UTF8.self), radix: 8))
            members.append((name, Array(bytes[offset + 512..<offset + 512 + size])))
            offset += 512 + (size + 511) / 512 * 512
        }
        return members
    }
}
