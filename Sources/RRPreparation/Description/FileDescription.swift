internal import RRDatasets
package import RRFormats
package import RRSchemas
internal import RRTensor

/// What a file holds, in the words of JSON.
///
/// The JSON of a sound dataset or mask set fits `schemas/dataset.schema.json` or `schemas/masks.schema.json`;
/// that of a faulty one has what could be read.
package struct FileDescription: Sendable {
    package enum Kind: Sendable {
        case dataset
        case masks
        /// HDF5 of another program.
        case other
    }

    package let kind: Kind
    package let json: JSONValue

    /// Describes a file by its metadata; images and masks are not read.
    ///
    /// - Throws: `FormatError` with the code `notFound`, `cannotRead` or `malformed` where the file is no sound HDF5.
    package init(path: String) throws(FormatError) {
        let file = try HDF5File(reading: path)
        self.init(file: file, size: try InputFile(reading: path).size, kind: nil)
        try file.checkReader()
    }

    /// - Parameter kind: what the file is taken for; nil for what it says of itself.
    init(file: HDF5File, size: Int, kind: Kind?) {
        let description = FileDescriber(file: file)
        let format = file.text("format")
        self.kind =
            kind ?? format.flatMap(FileFormat.init(rawValue:)).map { $0 == .dataset ? .dataset : .masks }
            ?? .other
        var members: [String: JSONValue] = ["path": .string(file.path), "file_bytes": .integer(size)]
        members["arrays"] = .object(description.arrays(namesUnreadable: self.kind == .other))
        switch self.kind {
        case .dataset:
            members.merge(description.header(format)) { _, new in new }
            members.merge(description.dataset()) { _, new in new }
        case .masks:
            members.merge(description.header(format)) { _, new in new }
            members.merge(description.masks()) { _, new in new }
        case .other:
            members["format"] = "hdf5"
        }
        json = .object(members)
    }
}

extension FileDescription {
    /// Each class with its samples: `{"label": 0, "name": "coat", "samples": 12}`.
    ///
    /// - Parameter names: the names of the classes by label; nil where they have none.
    static func classes(of labels: [Int], names: [String]?, count: Int) -> JSONValue {
        .array(
            counts(of: labels, below: count).enumerated().map { label, count in
                var members: [String: JSONValue] = ["label": .integer(label), "samples": .integer(count)]
                if let names { members["name"] = .string(names[label]) }
                return .object(members)
            })
    }

    /// Each split or group with its samples: `{"name": "train", "samples": 12}`.
    static func parts(of numbers: [Int], names: [String]) -> JSONValue {
        .array(
            zip(names, counts(of: numbers, below: names.count)).map {
                ["name": .string($0), "samples": .integer($1)]
            })
    }

    private static func counts(of numbers: [Int], below limit: Int) -> [Int] {
        var counts = Array(repeating: 0, count: max(0, limit))
        for number in numbers where 0..<counts.count ~= number { counts[number] += 1 }
        return counts
    }
}

extension HDF5File {
    /// The elements of a list of integers; nil where there is no such list.
    func integers(_ objectPath: String) -> [Int]? {
        guard let list = try? dataset(objectPath), list.shape.rank == 1, list.elementType.isInteger
        else {
            return nil
        }
        return try? list.readAll(as: Int64.self).map { Int($0) }
    }
}

/// Gathers what can be read of an open file; what cannot is left out.
private struct FileDescriber {
    let file: HDF5File

    /// Every array of the file by its name without the first slash.
    ///
    /// - Parameter namesUnreadable: whether what cannot be opened is there too, with the reason.
    func arrays(namesUnreadable: Bool) -> [String: JSONValue] {
        var found: [String: JSONValue] = [:]
        for (path, description) in (try? file.descriptions()) ?? [] {
            switch description {
            case .success(let description): found[path] = json(of: description)
            case .failure(let error):
                guard namesUnreadable else { continue }
                found[path] = ["error": .string(error.message.description)]
            }
        }
        return found
    }

    private func json(of array: HDF5File.Description) -> JSONValue {
        var members: [String: JSONValue] = [
            "type": .string(array.elementType.description),
            "shape": .array(array.shape.dimensions.map { .integer($0) }),
            "rank": .integer(array.shape.rank),
            "stored_bytes": .integer(array.storageSize),
        ]
        switch array.layout {
        case .contiguous: members["layout"] = "contiguous"
        case .chunked(let extents, let filters):
            members["layout"] = "chunked"
            members["chunk"] = .array(extents.map { .integer($0) })
            members["filters"] = .array(filters.map { .string($0) })
        case .compact: members["layout"] = "compact"
        case .other: members["layout"] = "other"
        }
        return .object(members)
    }

    /// The root attributes that datasets and mask sets share.
    func header(_ format: String?) -> [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        members["format"] = format.map { .string($0) }
        members["format_version"] = file.text("format_version").map { .string($0) }
        members["creator"] = file.text("creator").map { .string($0) }
        if let provenance = file.text("provenance") {
            members["provenance"] = (try? JSONValue(parsing: provenance)) ?? .string(provenance)
        }
        return members
    }

    func dataset() -> [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        members["fingerprint"] = file.text("fingerprint").map { .string($0) }
        members["color"] = file.text("color", of: "/images").map { .string($0) }
        members["dimension_labels"] = file.names("DIMENSION_LABELS", of: "/images").map {
            .string($0.joined(separator: ","))
        }
        if let images = try? file.dataset("/images"), images.shape.rank > 0 {
            members["samples"] = .integer(images.shape[0])
        }
        members["classes"] = classes()
        members["splits"] = parts("/split", names: "split_names")
        members["groups"] = parts("/group", names: "group_names")
        members["groups_by_split_and_class"] = crossed()
        return members
    }

    func masks() -> [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        members["dataset_fingerprint"] = file.text("dataset_fingerprint").map { .string($0) }
        let rows = file.integers("/row")
        members["samples"] = rows.map { .integer($0.count) }
        if let array = try? file.dataset("/A"), array.shape.rank > 0 {
            let count = array.shape[0] - 1
            members["masks"] = .integer(count)
            members["annotated"] = rows.map { rows in .integer(rows.count { 0..<max(0, count) ~= $0 }) }
        }
        return members
    }

    private func classes() -> JSONValue? {
        guard let labels = file.integers("/labels") else { return nil }
        let names = file.names("class_names", of: "/labels")
        let count = names?.count ?? min(labels.max() ?? -1, Dataset.largestBareLabel) + 1
        return FileDescription.classes(of: labels, names: names, count: count)
    }

    /// The samples of each group by split and class, for which worst-group figures are: `{"split": "train", "class": "cat",
    /// "group": "clinic A", "samples": 12}`; nil without groups, or where they are too many to look at.
    private func crossed() -> JSONValue? {
        guard let groups = file.integers("/group") else { return nil }
        func texts(_ path: String, _ attribute: String, _ object: String) -> [String]? {
            guard let numbers = file.integers(path), numbers.count == groups.count else { return nil }
            let names = file.names(attribute, of: object) ?? []
            return numbers.map { names.indices.contains($0) ? names[$0] : String($0) }
        }
        let parts = [
            ("split", texts("/split", "split_names", "/split")),
            ("class", texts("/labels", "class_names", "/labels")),
            ("group", texts("/group", "group_names", "/group")),
        ].compactMap { name, texts in texts.map { (name: name, texts: $0) } }
        var counts: [[String]: Int] = [:]
        for sample in groups.indices { counts[parts.map { $0.texts[sample] }, default: 0] += 1 }
        guard parts.count > 1, counts.count <= 1000 else { return nil }
        return .array(
            counts.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { key, count in
                var members: [String: JSONValue] = ["samples": .integer(count)]
                for (part, text) in zip(parts, key) { members[part.name] = .string(text) }
                return .object(members)
            })
    }

    private func parts(_ objectPath: String, names attribute: String) -> JSONValue? {
        guard let numbers = file.integers(objectPath) else { return nil }
        let bareCount = min(numbers.max() ?? -1, Dataset.largestBareLabel) + 1
        let names = file.names(attribute, of: objectPath) ?? (0..<max(0, bareCount)).map(String.init)
        return FileDescription.parts(of: numbers, names: names)
    }
}
