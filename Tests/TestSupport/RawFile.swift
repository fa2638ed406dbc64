internal import RRDatasets
package import RRFormats
internal import RRTensor

/// Writes an HDF5 file from its parts, as another program would.
package struct RawFile {
    package enum Content {
        case bytes([UInt8], [Int])
        case integers([Int64], [Int])
        case checksums([UInt32])
        case floats([Float], [Int])
        case strings([String])
    }

    package var arrays: [String: Content] = [:]
    package var attributes: [(name: String, objectPath: String, value: HDF5Attribute)] = []

    package init(
        arrays: [String: Content] = [:],
        attributes: [(name: String, objectPath: String, value: HDF5Attribute)] = []
    ) {
        self.arrays = arrays
        self.attributes = attributes
    }

    package static func masks(_ shape: [Int], _ changes: [Int: UInt8] = [:]) -> Content {
        var bytes = [UInt8](repeating: 0, count: shape.reduce(1, *))
        for (place, value) in changes { bytes[place] = value }
        return .bytes(bytes, shape)
    }

    package func write(to path: String) throws -> String {
        FileTree.remove(path)
        let file = try HDF5File(creating: path)
        for (name, content) in arrays.sorted(by: { $0.key < $1.key }) {
            switch content {
            case .bytes(let elements, let shape): try write(elements, shape, name, file)
            case .integers(let elements, let shape): try write(elements, shape, name, file)
            case .checksums(let elements): try write(elements, [elements.count], name, file)
            case .floats(let elements, let shape): try write(elements, shape, name, file)
            case .strings(let strings):
                let length = strings.map(\.utf8.count).max() ?? 1
                try file.createDataset(
                    name, type: .fixedString(length: length), shape: TensorShape([strings.count])
                )
                .writeStrings { strings[$0] }
            }
        }
        for attribute in attributes {
            try file.setAttribute(attribute.name, of: attribute.objectPath, to: attribute.value)
        }
        try file.close()
        return path
    }

    private func write<Element: HDF5Element>(
        _ elements: [Element], _ shape: [Int], _ name: String, _ file: HDF5File
    ) throws {
        let dataset = try file.createDataset(name, type: Element.storedType, shape: TensorShape(shape))
        try dataset.write(elements.span)
    }
}

extension RawFile {
    /// The parts of a small sound dataset.
    package static func dataset() throws -> RawFile {
        let shape = try ImageShape(channels: 1, height: 5, width: 4)
        let pixels = (0..<3 * 20).map { UInt8($0) }
        let checksums = (0..<3).map { index in
            pixels[index * 20..<index * 20 + 20].withUnsafeBytes { CRC32.checksum(of: $0) }
        }
        let ids = ["a", "b", "c"]
        let fingerprint = DatasetFingerprint.compute(
            id: { ids[$0] }, labels: [0, 1, 1], imageShape: shape,
            checksums: checksums)
        return RawFile(
            arrays: [
                "/images": .bytes(pixels, [3, 1, 5, 4]), "/labels": .integers([0, 1, 1], [3]),
                "/ids": .strings(ids),
                "/checksum": .checksums(checksums), "/split": .bytes([0, 1, 0], [3]),
            ],
            attributes: [
                ("format", "/", .string("rrdata.dataset")), ("format_version", "/", .string("1.0")),
                ("creator", "/", .string("test")), ("provenance", "/", .string("{}")),
                ("fingerprint", "/", .string(fingerprint)), ("color", "/images", .string("gray")),
                ("DIMENSION_LABELS", "/images", .strings(["N", "C", "H", "W"])),
                ("class_names", "/labels", .strings(["x", "y"])),
                ("split_names", "/split", .strings(["train", "test"])),
            ])
    }

    /// The parts of a small sound mask set for `dataset()`.
    package static func masks() throws -> RawFile {
        var masks = [UInt8](repeating: 0, count: 3 * 20)
        masks[0] = 1
        masks[25] = 1
        return RawFile(
            arrays: ["/A": .bytes(masks, [3, 1, 5, 4]), "/row": .integers([1, 2, 0], [3])],
            attributes: [
                ("format", "/", .string("rrdata.masks")), ("format_version", "/", .string("1.0")),
                ("creator", "/", .string("test")), ("provenance", "/", .string("{}")),
                ("dataset_fingerprint", "/", try dataset().attribute("fingerprint")),
            ])
    }

    package func attribute(_ name: String) -> HDF5Attribute {
        attributes.first { $0.name == name }?.value ?? .other
    }

    /// The file with an attribute replaced or, for nil, left out.
    package func setting(_ name: String, to value: HDF5Attribute?) -> RawFile {
        var file = self
        guard let index = file.attributes.firstIndex(where: { $0.name == name }) else { return self }
        if let value {
            file.attributes[index].value = value
        } else {
            file.attributes.remove(at: index)
        }
        return file
    }

    /// The file with an array replaced or, for nil, left out, with the attributes that belong to it.
    package func setting(array name: String, to content: Content?) -> RawFile {
        var file = self
        file.arrays[name] = content
        if content == nil { file.attributes.removeAll { $0.objectPath == name } }
        return file
    }
}
