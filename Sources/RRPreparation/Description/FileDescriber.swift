internal import RRDatasets
internal import RRFormats
internal import RRSchemas
internal import RRTensor

/// Gathers what can be read of an open file; what cannot is left out.
struct FileDescriber {
    private static let maximumDepth = 16
    private static let maximumArrays = 10_000

    let file: HDF5File

    /// An attribute that is text.
    func text(_ attribute: String, of objectPath: String = "/") -> String? {
        guard case .string(let text)? = try? file.attribute(attribute, of: objectPath) else { return nil }
        return text
    }

    /// An attribute that is a list of texts.
    func names(_ attribute: String, of objectPath: String) -> [String]? {
        guard case .strings(let names)? = try? file.attribute(attribute, of: objectPath) else { return nil }
        return names
    }

    /// The elements of a list of integers; nil where there is no such list.
    func integers(_ objectPath: String) -> [Int]? {
        guard let list = try? file.dataset(objectPath), list.shape.rank == 1, list.elementType.isInteger
        else {
            return nil
        }
        return try? list.readAll(as: Int64.self).map { Int($0) }
    }

    /// Every array of the file by its name without the first slash.
    func arrays() -> [String: JSONValue] {
        var found: [String: JSONValue] = [:]
        gather(group: "/", depth: 0, into: &found)
        return found
    }

    private func gather(group: String, depth: Int, into found: inout [String: JSONValue]) {
        guard depth < Self.maximumDepth, let names = try? file.memberNames(of: group) else { return }
        for name in names where found.count < Self.maximumArrays {
            let objectPath = (group == "/" ? "" : group) + "/" + name
            switch file.kind(of: objectPath) {
            case .group: gather(group: objectPath, depth: depth + 1, into: &found)
            case .dataset:
                guard let array = try? file.dataset(objectPath) else { break }
                found[String(objectPath.dropFirst())] = describe(array)
            default: break
            }
        }
    }

    private func describe(_ array: HDF5Dataset) -> JSONValue {
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
        members["format_version"] = text("format_version").map { .string($0) }
        members["creator"] = text("creator").map { .string($0) }
        if let provenance = text("provenance") {
            members["provenance"] = (try? JSONValue(parsing: provenance)) ?? .string(provenance)
        }
        return members
    }

    func dataset() -> [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        members["fingerprint"] = text("fingerprint").map { .string($0) }
        members["color"] = text("color", of: "/images").map { .string($0) }
        members["dimension_labels"] = names("DIMENSION_LABELS", of: "/images").map {
            .string($0.joined(separator: ","))
        }
        if let images = try? file.dataset("/images"), images.shape.rank > 0 {
            members["samples"] = .integer(images.shape[0])
        }
        members["classes"] = classes()
        members["splits"] = parts("/split", names: "split_names")
        members["groups"] = parts("/group", names: "group_names")
        return members
    }

    func masks() -> [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        members["dataset_fingerprint"] = text("dataset_fingerprint").map { .string($0) }
        let rows = integers("/row")
        members["samples"] = rows.map { .integer($0.count) }
        if let array = try? file.dataset("/A"), array.shape.rank > 0 {
            let count = array.shape[0] - 1
            members["masks"] = .integer(count)
            members["annotated"] = rows.map { rows in .integer(rows.count { 0..<max(0, count) ~= $0 }) }
        }
        return members
    }

    private func classes() -> JSONValue? {
        guard let labels = integers("/labels") else { return nil }
        let names = names("class_names", of: "/labels")
        let count = names?.count ?? min(labels.max() ?? -1, Dataset.largestBareLabel) + 1
        let samples = Self.counts(of: labels, below: count)
        return .array(
            samples.enumerated().map { label, count in
                var members: [String: JSONValue] = ["label": .integer(label), "samples": .integer(count)]
                if let names { members["name"] = .string(names[label]) }
                return .object(members)
            })
    }

    private func parts(_ objectPath: String, names attribute: String) -> JSONValue? {
        guard let numbers = integers(objectPath) else { return nil }
        let bareCount = min(numbers.max() ?? -1, Dataset.largestBareLabel) + 1
        let names = names(attribute, of: objectPath) ?? (0..<max(0, bareCount)).map(String.init)
        let samples = Self.counts(of: numbers, below: names.count)
        return .array(zip(names, samples).map { ["name": .string($0), "samples": .integer($1)] })
    }

    private static func counts(of numbers: [Int], below limit: Int) -> [Int] {
        var counts = Array(repeating: 0, count: max(0, limit))
        for number in numbers where 0..<counts.count ~= number { counts[number] += 1 }
        return counts
    }
}
