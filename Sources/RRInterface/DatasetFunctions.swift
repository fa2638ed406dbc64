// Functions have the names of the header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import CRRData
internal import Glibc
internal import RRDatasets
internal import RRFormats
internal import RRSchemas
internal import RRStreaming
internal import RRTensor

@c @implementation
public func rr_interface_version() -> Int32 { RR_INTERFACE_VERSION }

/// Text that lives as long as the process.
nonisolated(unsafe) private let release: UnsafePointer<CChar>? = UnsafePointer(strdup(Dataset.creator))

@c @implementation
public func rr_release() -> UnsafePointer<CChar>? { release }

// MARK: Opening

@c @implementation
public func rr_dataset_open(
    _ paths: UnsafePointer<UnsafePointer<CChar>?>?, _ count: Int, _ options: UnsafePointer<CChar>?,
    _ dataset: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> rr_status {
    answer(error) {
        ReaderProgram.prepare()
        var reader = try OptionReader(options)
        let reading = try ImageFolderOptions(&reader)
        try reader.finish()
        let opened = try Dataset.joining(texts(paths, count: count, "path"), reading: reading)
        guard opened.readsFolder || reading == ImageFolderOptions() else {
            throw ArgumentError.wrong(
                "the options say how a folder of images is read, and \(opened.path) is none: leave them out")
        }
        try Handle.give(opened, to: dataset)
        return RR_OK
    }
}

@c @implementation
public func rr_dataset_close(_ dataset: OpaquePointer?) { Handle<Dataset>.close(dataset) }

// MARK: What it is

@c @implementation
public func rr_dataset_describe(
    _ dataset: OpaquePointer?, _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> rr_status {
    answer(error) {
        let dataset = try Handle<Dataset>.value(of: dataset, "dataset")
        func list(_ names: [String]?) -> JSONValue {
            names.map { .array($0.map { .string($0) }) } ?? .null
        }
        let facts: JSONValue = [
            "path": .string(dataset.path), "samples": .integer(dataset.sampleCount),
            "channels": .integer(dataset.imageShape.channels), "height": .integer(dataset.imageShape.height),
            "width": .integer(dataset.imageShape.width),
            "element_type": .string(dataset.elementType.rawValue), "color": .string(dataset.color),
            "class_count": .integer(dataset.classCount), "class_names": list(dataset.classNames),
            "split_names": list(dataset.splits.map { _ in dataset.splitNames }),
            "group_names": list(dataset.groups?.names), "has_labels": .bool(dataset.labels != nil),
            "has_splits": .bool(dataset.splits != nil), "has_groups": .bool(dataset.groups != nil),
            "reads_folder": .bool(dataset.readsFolder),
            "notes": list(
                (dataset.notes + (dataset.readsFolder ? dataset.labelRemarks : [])).map(\.interfaceText)),
        ]
        try give(facts.serialized(), to: json)
        return RR_OK
    }
}

@c @implementation
public func rr_dataset_fingerprint(
    _ dataset: OpaquePointer?, _ fingerprint: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> rr_status {
    answer(error) {
        try give(Handle<Dataset>.value(of: dataset, "dataset").fingerprint, to: fingerprint)
        return RR_OK
    }
}

@c @implementation
public func rr_dataset_ids(
    _ dataset: OpaquePointer?, _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> rr_status {
    answer(error) {
        let ids = try Handle<Dataset>.value(of: dataset, "dataset").ids()
        try give(JSONValue.array(ids.map { .string($0) }).serialized(), to: json)
        return RR_OK
    }
}

@c @implementation
public func rr_dataset_list(
    _ dataset: OpaquePointer?, _ list: rr_list, _ values: UnsafeMutablePointer<Int64>?, _ room: Int,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> rr_status {
    answer(error) {
        let dataset = try Handle<Dataset>.value(of: dataset, "dataset")
        guard let values else { throw ArgumentError.missing("memory for the values") }
        guard room >= dataset.sampleCount else {
            throw ArgumentError.wrong("there is room for \(room) values, and \(dataset.sampleCount) samples")
        }
        let numbers: ((Int) -> Int)? =
            switch list {
            case RR_LABELS: dataset.labels.map { list in { list[$0] } }
            case RR_SPLITS: dataset.splits.map { list in { Int(list[$0]) } }
            case RR_GROUPS: dataset.groups.map { groups in { groups.numbers[$0] } }
            default: throw ArgumentError.wrong("there is no list \(list.rawValue)")
            }
        for index in 0..<dataset.sampleCount { values[index] = numbers.map { Int64($0(index)) } ?? -1 }
        return RR_OK
    }
}

// MARK: Samples

@c @implementation
public func rr_dataset_gather(
    _ dataset: OpaquePointer?, _ masks: OpaquePointer?, _ index: UnsafePointer<Int64>?, _ count: Int,
    _ target: UnsafePointer<rr_target>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> rr_status {
    answer(error) {
        let dataset = try Handle<Dataset>.value(of: dataset, "dataset")
        let masks = try masks.map { try Handle<MaskSet>.value(of: $0, "mask set") }
        try masks?.check(for: dataset)
        guard count == 0 || index != nil else { throw ArgumentError.missing("index") }
        let target = try Target(target, of: dataset.imageShape, elementType: dataset.elementType)
        try target.check(room: count)
        let indices = try (0..<count).map { place in
            guard let row = index.map({ $0[place] }), let index = Int(exactly: row) else {
                throw ArgumentError.missing("index")
            }
            return index
        }
        try target.gather(dataset, masks, at: indices)
        return RR_OK
    }
}
