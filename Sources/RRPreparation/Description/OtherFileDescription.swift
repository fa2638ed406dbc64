internal import RRDatasets
package import RRFormats
package import RRSchemas
internal import RRTensor

/// What a file of another format than HDF5 holds, or a folder that an export wrote, in the words of JSON.
package enum OtherFileDescription {
    /// Describes a file or folder; nil for anything that is none of these, HDF5 included.
    ///
    /// Of PNG, JPEG, NPY, NPZ, IDX and PyTorch's files the headers are read, safetensors and COCO annotations wholly.
    ///
    /// - Parameter words: how what is wrong with a part of it is worded.
    /// - Throws: `FormatError` with the code `notFound`, `cannotRead`, `malformed` or `unsupported`; `DatasetError` with
    ///   the code `badAnnotation`.
    package static func json(
        of path: String, words: (Message) -> String = \.description
    ) throws -> JSONValue? {
        if FileTree.kind(of: path) == .folder { return try folder(path, words) }
        let size = try InputFile(reading: path, pipeLimit: 1 << 31).size
        let start = try FileBytes.read(path, prefix: 64, takesPipe: true)
        var members: [String: JSONValue]
        switch try FileSignature.of(path) {
        case .png?: members = try png(path)
        case .jpeg?: members = try jpeg(path)
        case .zip? where try StateDictFile.format(of: path) == .pyTorch: members = try stateDicts(path)
        case .npy?, .zip?, .gzip?, .idx?: members = try arrays(path, words)
        case .safetensors?: members = try safeTensors(path)
        case .hdf5?: return nil
        case nil:
            if start.first(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) == UInt8(ascii: "{") {
                members = try coco(path)
            } else if path.hasSuffix(".safetensors") || FileTree.kind(of: path) == .pipe {
                members = try safeTensors(path)
            } else {
                return nil
            }
        }
        members["path"] = .string(path)
        members["file_bytes"] = .integer(size)
        return .object(members)
    }

    private static func folder(_ path: String, _ words: (Message) -> String) throws -> JSONValue? {
        if let mark = try ExportMark.members(of: path) {
            var members = mark.objectValue ?? [:]
            members["path"] = .string(path)
            return .object(members)
        }
        let top = try FolderListing(of: path)
        let folders = top.folders
        let hasImages = top.names.indices.contains { top.isImage(at: $0, .images) }
        guard hasImages || !folders.isEmpty else { return nil }
        var (pngCount, jpegCount, otherCount) = (0, 0, 0)
        var members: [String: JSONValue] = [
            "format": "folder", "path": .string(path), "folders": .array(folders.map { .string($0) }),
        ]
        do {
            try top.visitFiles { file in
                if file.isImage(.pngs) {
                    pngCount += 1
                } else if file.isImage(.images) {
                    jpegCount += 1
                } else {
                    otherCount += 1
                }
            }
            members.merge(try images(of: path, hasClasses: !hasImages)) { _, new in new }
        } catch let error as DatasetError where error.code == .empty {
            // A folder of other things.
        } catch {
            members["problem"] = .string(
                (error as? any ExplainedError).map { words($0.explanation) } ?? "\(error)")
        }
        members["png_files"] = .integer(pngCount)
        members["jpeg_files"] = .integer(jpegCount)
        members["other_files"] = .integer(otherCount)
        return .object(members)
    }

    /// What a stream or an import of a folder of images would give.
    private static func images(of folder: String, hasClasses: Bool) throws -> [String: JSONValue] {
        var reading = ImageFolderOptions()
        if !hasClasses, try PNGMetadata.list(in: folder) == nil { reading.labels = .none }
        let dataset = try Dataset(pngFolder: folder, reading: reading)
        var members: [String: JSONValue] = [
            "samples": .integer(dataset.sampleCount), "color": .string(dataset.color),
            "type": .string(dataset.elementType.rawValue),
            "shape": .array(([dataset.sampleCount] + dataset.imageShape.dimensions).map { .integer($0) }),
        ]
        if let labels = dataset.labels {
            members["classes"] = FileDescription.classes(
                of: labels, names: dataset.classNames, count: dataset.classCount)
        }
        if let splits = dataset.splits {
            members["splits"] = FileDescription.parts(of: splits.map { Int($0) }, names: dataset.splitNames)
        }
        return members
    }

    private static func png(_ path: String) throws -> [String: JSONValue] {
        let bytes = try FileBytes.read(path, takesPipe: true)
        let storage = try bytes.withUnsafeBytes { bytes in
            Result { try PNGDecoder.storage(of: bytes, path: path) }
        }.get()
        let names = ["gray", "rgb", "palette", "gray-alpha", "rgba"]
        let types: [PNGStorage.ColorType] = [.gray, .rgb, .palette, .grayAlpha, .rgba]
        return [
            "format": "png", "width": .integer(storage.header.width),
            "height": .integer(storage.header.height),
            "color": .string(zip(types, names).first { $0.0 == storage.colorType }?.1 ?? "other"),
            "bit_depth": .integer(storage.bitDepth), "interlaced": .bool(storage.isInterlaced),
            "transparent_color": .bool(storage.hasTransparency), "color_space": .bool(storage.hasColorSpace),
            "decoded": .string(storage.header.description),
        ]
    }

    private static func jpeg(_ path: String) throws -> [String: JSONValue] {
        let bytes = try FileBytes.read(path, takesPipe: true)
        let storage = try bytes.withUnsafeBytes { bytes in
            Result { try JPEGDecoder.storage(of: bytes, path: path) }
        }.get()
        return [
            "format": "jpeg", "width": .integer(storage.header.width),
            "height": .integer(storage.header.height),
            "color": storage.isInk ? "cmyk" : storage.header.channels == 1 ? "gray" : "rgb",
            "progressive": .bool(storage.isProgressive), "color_profile": .bool(storage.hasColorProfile),
            "orientation": .integer(Int(storage.orientation.rawValue)),
            "decoded": .string(storage.header.description),
        ]
    }

    private static func arrays(_ path: String, _ words: (Message) -> String) throws -> [String: JSONValue] {
        let file = try ArrayFile(path: path)
        func describe(_ array: any ArraySource) -> JSONValue {
            [
                "type": .string(array.elementType.description),
                "shape": .array(array.shape.dimensions.map { .integer($0) }),
            ]
        }
        var members: [String: JSONValue] = ["format": .string(file.format.rawValue)]
        guard file.format == .npz else {
            let array = try file.array(nil)
            members["type"] = .string(array.elementType.description)
            members["shape"] = .array(array.shape.dimensions.map { .integer($0) })
            return members
        }
        var arrays: [String: JSONValue] = [:]
        for name in try file.names() {
            do throws(FormatError) {
                arrays[name] = describe(try file.array(name))
            } catch {
                arrays[name] = ["error": .string(words(error.message))]
            }
        }
        members["arrays"] = .object(arrays)
        return members
    }

    private static func safeTensors(_ path: String) throws -> [String: JSONValue] {
        let tensors = try SafeTensorsFile.read(path)
        let count = tensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
        return [
            "format": "safetensors", "elements": .integer(count),
            "tensors": .array(
                tensors.map { tensor in
                    [
                        "name": .string(tensor.name), "type": .string(tensor.type.rawValue),
                        "shape": .array(tensor.shape.map { .integer($0) }),
                    ]
                }),
        ]
    }

    /// What the dictionaries of tensors in a file of PyTorch hold, one after the other.
    private static func stateDicts(_ path: String) throws -> [String: JSONValue] {
        let dicts = try StateDictFile.read(path)
        let entries = dicts.flatMap { dict in
            dict.entries.map { ((dict.place + [$0.name]).joined(separator: "/"), $0) }
        }
        return [
            "format": "pytorch",
            "elements": .integer(entries.reduce(0) { $0 &+ $1.1.shape.reduce(1, &*) }),
            "tensors": .array(
                entries.map { name, entry in
                    [
                        "name": .string(name), "type": .string(entry.type.rawValue),
                        "shape": .array(entry.shape.map { .integer($0) }),
                    ]
                }),
            "not_read": .array((dicts.first?.others ?? []).map { .string($0) }),
        ]
    }

    private static func coco(_ path: String) throws -> [String: JSONValue] {
        let file = try COCOAnnotationFile(path: path)
        return [
            "format": "coco", "images": .integer(file.images.count),
            "annotations": .integer(file.annotations.count),
            "categories": .array(file.categories.map { $0.name.map { .string($0) } ?? .null }),
            "segmentations": .integer(file.annotations.count { $0.segmentation != nil }),
            "boxes_only": .integer(file.annotations.count { $0.segmentation == nil && $0.hasBox }),
        ]
    }
}
