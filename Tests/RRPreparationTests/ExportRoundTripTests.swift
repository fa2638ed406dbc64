import Foundation
import RRDatasets
import RRFormats
import RRPreparation
import RRSchemas
import RRTensor
import TestSupport
import Testing

@Suite("Exporting and importing again")
struct ExportRoundTripTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func bytes(_ name: String) throws -> [UInt8] { try FileBytes.read(folder.path(name)) }

    private func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: folder.path(name))
    }

    /// Exports `d.h5`, and `m.h5` where masks are given, to `out`.
    private func export(
        _ kind: ArrayExport.Format, _ dataset: Dataset, _ masks: MaskSet?, layout: ArrayExport.Layout = .nchw,
        split: String = "all"
    ) throws {
        let source = try ExportSource(dataset: dataset, masks: masks, split: split)
        var export = ArrayExport(source: source, format: kind, output: folder.path("out"))
        export.layout = layout
        _ = try export.run()
    }

    /// Imports `out` as `again.h5` and `masks-again.h5`.
    @discardableResult
    private func importAgain(
        _ kind: ArrayExport.Format, masks: Bool = true, change: (inout ArrayImport.Options) -> Void = { _ in }
    ) throws -> ImportSummary {
        var options = ArrayImport.Options(images: kind == .npy ? [folder.path("out")] : [])
        options.force = true
        change(&options)
        return try ArrayImport(
            format: kind == .npy ? .npy : .hdf5, files: kind == .npy ? [] : [folder.path("out")],
            output: folder.path("again.h5"), masksOutput: masks ? folder.path("masks-again.h5") : nil,
            options: options
        ).run()
    }

    private func provenance(_ name: String) throws -> JSONValue {
        guard case .string(let text)? = try HDF5File(reading: folder.path(name)).attribute("provenance")
        else {
            return .null
        }
        return try JSONValue(parsing: text)
    }

    @Test(
        "any dataset and its masks come back byte for byte from arrays", arguments: 0..<12,
        SampleDataset.Order.allCases)
    func arrays(seed: Int, order: SampleDataset.Order) throws {
        let random = try SampleDataset.random(folder, seed: UInt64(seed), order: order)
        let dataset = try random.dataset()
        try MaskSetWriter.write(
            random.masks(dataset.fingerprint), provenance: ["source": "test", "seed": .integer(seed)],
            path: folder.path("m.h5"), force: false)
        let masks = try MaskSet(path: folder.path("m.h5"), for: dataset)
        for (kind, layout) in [
            (ArrayExport.Format.hdf5, ArrayExport.Layout.nhwc), (.npy, .nchw), (.hdf5, .nchw), (.npy, .nhwc),
        ] {
            try export(kind, dataset, masks, layout: layout)
            let summary = try importAgain(kind)
            #expect(try bytes("again.h5") == bytes("d.h5"))
            #expect(try bytes("masks-again.h5") == bytes("m.h5"))
            #expect(summary.notes == [] && summary.classNames == dataset.classNames)
            try remove("out")
        }
    }

    @Test(
        "and from PNG folders, where the export says that nothing is lost", arguments: 0..<12,
        SampleDataset.Order.allCases)
    func pngs(seed: Int, order: SampleDataset.Order) throws {
        let random = try SampleDataset.random(folder, seed: UInt64(seed), order: order)
        let dataset = try random.dataset()
        try MaskSetWriter.write(
            random.masks(dataset.fingerprint), provenance: ["source": "test"], path: folder.path("m.h5"),
            force: false)
        let source = try ExportSource(
            dataset: dataset, masks: MaskSet(path: folder.path("m.h5"), for: dataset))
        let notes = try PNGFolderExport(source: source, output: folder.path("out")).run().notes
        #expect(notes == [])
        _ = try PNGFolderImport(folder: folder.path("out"), output: folder.path("again.h5")).run()
        #expect(try bytes("again.h5") == bytes("d.h5"))
        guard random.maskBits.rowCount > 1 else { return }
        _ = try MaskImport(
            source: folder.path("out-masks"), dataset: folder.path("again.h5"),
            output: folder.path("masks-again.h5")
        ).run()
        #expect(try bytes("masks-again.h5") == bytes("m.h5"))
    }

    /// A dataset of three channels and masks that no import would order so: rows out of order, one shared by two
    /// samples, one all zero, and channels that differ.
    private func unusual(
        _ elementType: ImageElementType, _ compression: Compression
    ) throws -> (Dataset, MaskSet) {
        var sample = try SampleDataset(folder, channels: 3)
        (sample.elementType, sample.compression) = (elementType, compression)
        sample.provenance = ["b": 1, "a": ["ü", 0.1], "resize": ["height": 5, "width": 4, "fit": "crop"]]
        let dataset = try Dataset(path: sample.write())
        var bits = try MaskBits(rowCount: 4, elementsPerRow: 60)
        (bits[0, 3], bits[0, 59], bits[2, 21]) = (true, true, true)
        let masks = try MaskSet(
            bits: bits, rows: [2, 3, 0, 2, 3, 1, 3], maskShape: sample.shape,
            datasetFingerprint: dataset.fingerprint)
        try MaskSetWriter.write(masks, provenance: ["k": 3], path: folder.path("m.h5"), force: true)
        return (dataset, try MaskSet(path: folder.path("m.h5"), for: dataset))
    }

    @Test(
        "types, compression, the name of the colour, provenance and the rows of masks come back too",
        arguments: ImageElementType.allCases, Compression.allCases)
    func unusual(elementType: ImageElementType, compression: Compression) throws {
        let (dataset, masks) = try unusual(elementType, compression)
        for kind in ArrayExport.Format.allCases {
            try export(kind, dataset, masks, layout: .nhwc)
            #expect(try importAgain(kind).color == "other")
            #expect(try bytes("again.h5") == bytes("d.h5"))
            #expect(try bytes("masks-again.h5") == bytes("m.h5"))
            try remove("out")
        }
    }

    @Test(
        "one split comes back with its own samples and masks, and knows how images were resized",
        arguments: ArrayExport.Format.allCases)
    func split(kind: ArrayExport.Format) throws {
        let (dataset, masks) = try unusual(.uint8, .none)
        try export(kind, dataset, masks, split: "test")
        try importAgain(kind)
        let again = try Dataset(path: folder.path("again.h5"))
        #expect(try again.ids() == ["sample/4", "sample/5", "sample/6"])
        #expect(again.labels == [1, 2, 0] && again.classNames == ["coat", "bag", "boot"])
        #expect(again.splits == nil)
        #expect(try again.resizing() == Resizing(height: 5, width: 4, fit: .crop))
        let masksAgain = try MaskSet(path: folder.path("masks-again.h5"), for: again)
        #expect(masksAgain.rows == [1, 0, 1] && masksAgain.annotatedCount == 0)
    }

    @Test(
        "what was changed is imported as it stands, and says so, but for the size",
        arguments: ArrayExport.Format.allCases)
    func options(kind: ArrayExport.Format) throws {
        let (dataset, masks) = try unusual(.uint8, .none)
        try export(kind, dataset, masks)
        let other = folder.path("other.npy")
        try FileBytes.write(
            NPYHeader.bytes(shape: [7], type: .uint8) + [6, 5, 4, 3, 2, 1, 0], to: other)
        let row = kind == .npy ? folder.path("out/row.npy") : "row"
        try importAgain(kind) { options in
            options.labels = [row]
            options.compression = .deflate
            options.marks = .right
        }
        let again = try Dataset(path: folder.path("again.h5"))
        #expect(again.labels == [2, 3, 0, 2, 3, 1, 3] && again.classNames == nil)
        #expect(try again.ids() == dataset.ids())
        #expect(again.splits == dataset.splits && again.color == "other")
        let made = try provenance("again.h5")
        #expect(made["command"] == .string("import \(kind.rawValue)"))
        #expect(made["options"]?["compress"] == "deflate")
        #expect(made["resize"]?["fit"] == "crop")
        let masksAgain = try MaskSet(path: folder.path("masks-again.h5"), for: again)
        #expect(masksAgain.annotatedCount == 3)
        #expect(masksAgain.bits.count(row: 0) == 59)
        #expect(try provenance("masks-again.h5")["options"]?["marks"] == "right")
    }

    @Test(
        "masks that an option does not ask for stay, and the import says so",
        arguments: ArrayExport.Format.allCases)
    func withoutMasks(kind: ArrayExport.Format) throws {
        let (dataset, masks) = try unusual(.uint8, .none)
        try export(kind, dataset, masks)
        #expect(
            try importAgain(kind, masks: false).notes == [
                "the export holds masks; \(option: OptionName("masksOutput")) imports them"
            ])
        #expect(try bytes("again.h5") == bytes("d.h5"))
        try remove("out")
        try export(kind, dataset, nil)
        let error = #expect(throws: DatasetError.self) { try importAgain(kind) }
        #expect(error?.code == .invalidOption)
    }

    @Test(
        "an array that is missing, or of another length, is an error that names it",
        arguments: ["images", "labels", "masks", "row", "ids", "splits"])
    func tampered(name: String) throws {
        let (dataset, masks) = try unusual(.uint8, .none)
        try export(.npy, dataset, masks)
        let path = "out/\(name).npy"
        let array = try ArrayFile(path: folder.path(path)).array(nil)
        let shape = [6] + array.shape.dimensions.dropFirst()
        let old = try bytes(path)
        let size = (old.count - 128) / 7 * 6
        let descriptor = ["ids": "<U8", "labels": "<i8", "row": "<i8"][name] ?? "|u1"
        try FileBytes.write(
            NPYHeader.bytes(shape: Array(shape), descriptor: descriptor) + old[128..<128 + size],
            to: folder.path(path))
        var error = #expect(throws: DatasetError.self) { try importAgain(.npy) }
        #expect(error?.code == .wrongShape)
        #expect(error?.path.hasSuffix("\(name).npy") == true)
        try remove(path)
        error = #expect(throws: DatasetError.self) { try importAgain(.npy) }
        #expect(error?.code == .missingObject)
        #expect(error?.path.hasSuffix("\(name).npy") == true)
        #expect(try folder.names() == ["d.h5", "m.h5", "out"])
    }

    /// Writes `out` anew with the export's attributes and some arrays.
    private func rewrite(version: String = "1.0", _ arrays: SourceArray...) throws {
        let old = try HDF5File(reading: folder.path("out"))
        let mark = try #require(try old.attribute("export"))
        try old.close()
        try remove("out")
        let file = try HDF5File(creating: folder.path("out"))
        try file.setAttribute("format", to: .string("rrdata.export"))
        try file.setAttribute("format_version", to: .string(version))
        try file.setAttribute("export", to: mark)
        for array in arrays { try array.write(to: file) }
        try file.close()
    }

    @Test("so it is in HDF5 files, and a version that is not known is refused")
    func tamperedHDF5() throws {
        let (dataset, masks) = try unusual(.uint8, .none)
        try export(.hdf5, dataset, masks)
        try rewrite()
        var error = #expect(throws: DatasetError.self) { try importAgain(.hdf5) }
        #expect(error?.code == .missingObject && error?.path.hasSuffix("out:/ids") == true)
        try rewrite(SourceArray("ids", [6], [UInt8](repeating: 0, count: 6)))
        error = #expect(throws: DatasetError.self) { try importAgain(.hdf5) }
        #expect(error?.code == .wrongShape && error?.path.hasSuffix("out:/ids") == true)
        try rewrite(version: "2.0")
        error = #expect(throws: DatasetError.self) { try importAgain(.hdf5) }
        #expect(error?.code == .unsupportedVersion)
    }

    @Test(
        "numbers that fit nothing are refused with their array",
        arguments: [
            ("splits.npy", "|u1", 1, DatasetError.Code.splitOutOfRange),
            ("labels.npy", "<i8", 8, .labelOutOfRange),
            ("row.npy", "<i8", 8, .rowOutOfRange), ("ids.npy", "<U8", 32, .duplicateId),
            ("row.npy", "swap", 8, .rowOutOfRange),
        ])
    func outOfRange(name: String, descriptor: String, size: Int, code: DatasetError.Code) throws {
        let (dataset, masks) = try unusual(.uint8, .none)
        try export(.npy, dataset, masks)
        var content = try bytes("out/" + name)
        if code == .duplicateId {
            content.replaceSubrange(128..<128 + size, with: content[128 + size..<128 + 2 * size])
        } else {
            // The last sample has no mask, and then that of sample 0.
            content[content.count - size] = descriptor == "swap" ? 2 : 9
        }
        try FileBytes.write(content, to: folder.path("out/" + name))
        let error = #expect(throws: DatasetError.self) { try importAgain(.npy) }
        #expect(error?.code == code)
        #expect(error?.path.hasSuffix(name) == true)
    }

    @Test("names that an export has and that cannot be read are damage, not names that it lacks")
    func damagedNames() throws {
        try export(.hdf5, Dataset(path: SampleDataset(folder).write()), nil)
        var content = try bytes("out")
        // The signature of the heap that libhdf5 keeps texts in.
        content[try #require(content.firstRange(of: Array("GCOL".utf8))).lowerBound] ^= 1
        try FileBytes.write(content, to: folder.path("out"))
        let error = #expect(throws: FormatError.self) { try importAgain(.hdf5, masks: false) }
        #expect(error?.code == .malformed)
        #expect(!FileManager.default.fileExists(atPath: folder.path("again.h5")))
    }

    @Test("an export whose file of names cannot be read is no folder without one")
    func unreadableMark() throws {
        let dataset = try Dataset(path: SampleDataset(folder).write())
        try export(.npy, dataset, nil)
        // A link to itself cannot be opened, whoever tries.
        try remove("out/export.json")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("out/export.json"), withDestinationPath: "export.json")
        let error = #expect(throws: FormatError.self) { try importAgain(.npy, masks: false) }
        #expect(error?.code == .cannotRead && error?.path.hasSuffix("export.json") == true)
    }

    @Test("a changed split is a changed dataset: the provenance is the import's own")
    func changedSplit() throws {
        let (dataset, _) = try unusual(.uint8, .none)
        try export(.npy, dataset, nil)
        var content = try bytes("out/splits.npy")
        content[content.count - 1] = 0
        try FileBytes.write(content, to: folder.path("out/splits.npy"))
        try importAgain(.npy, masks: false)
        let again = try Dataset(path: folder.path("again.h5"))
        #expect(try again.fingerprint == dataset.fingerprint && again.splits?.last == 0)
        #expect(try provenance("again.h5")["command"] == "import npy")
    }

    @Test("masks of zeros that are annotated keep their rows through PNG folders")
    func emptyMasks() throws {
        var sample = try SampleDataset(folder)
        sample.splits = nil
        let dataset = try Dataset(path: sample.write())
        var bits = try MaskBits(rowCount: 3, elementsPerRow: 20)
        bits[1, 7] = true
        try MaskSetWriter.write(
            MaskSet(
                bits: bits, rows: [2, 0, 2, 1, 2, 2, 2], maskShape: sample.shape,
                datasetFingerprint: dataset.fingerprint), provenance: ["k": 3], path: folder.path("m.h5"),
            force: false)
        let source = try ExportSource(
            dataset: dataset, masks: MaskSet(path: folder.path("m.h5"), for: dataset))
        _ = try PNGFolderExport(source: source, output: folder.path("out")).run()
        func masksAgain(_ empty: EmptyMasks?) throws {
            var options = MaskImport.Options()
            (options.empty, options.force) = (empty, true)
            _ = try MaskImport(
                source: folder.path("out-masks"), dataset: folder.path("d.h5"),
                output: folder.path("masks-again.h5"), options: options
            ).run()
        }
        try masksAgain(nil)
        #expect(try bytes("masks-again.h5") == bytes("m.h5"))
        try masksAgain(.unannotated)
        #expect(try MaskSet(path: folder.path("masks-again.h5"), for: dataset).bits.rowCount == 2)
    }
}
