internal import RRSchemas

/// Safetensors files: a length, a JSON header of that length, and the elements of all tensors.
///
/// The rules are those of the reference implementation (github.com/huggingface/safetensors, `tensor.rs`).
package enum SafeTensorsFile {
    /// The largest header that is read, in bytes; the reference implementation has the same limit.
    package static let largestHeader = 100_000_000

    /// Reads all tensors, in the order of their elements in the file.
    ///
    /// - Throws: `FormatError` with the code `notFound`, `cannotRead`, `malformed`, or `unsupported` for a type of
    ///   elements that is not known. The message names the tensor.
    package static func read(
        _ path: String, maximumSize: Int = 1 << 34
    ) throws(FormatError) -> [SafeTensor] {
        let file = try FileBytes.read(path, maximumSize: maximumSize, takesPipe: true)
        func malformed(_ message: String) -> FormatError { FormatError(.malformed, path: path, message) }
        guard file.count >= 8 else {
            throw malformed("this is no safetensors file: it has less than 8 bytes")
        }
        let claimed = file[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard claimed <= UInt64(largestHeader) else {
            throw malformed("the header claims \(claimed) bytes; at most \(largestHeader) are read")
        }
        let dataStart = 8 + Int(claimed)
        guard dataStart <= file.count else {
            throw malformed("the header claims \(claimed) bytes, but only \(file.count - 8) follow")
        }
        let entries = try SafeTensorsHeader(8..<dataStart, of: file, path: path).entries.sorted {
            ($0.start, $0.end, $0.name) < ($1.start, $1.end, $1.name)
        }
        var position = 0
        var tensors: [SafeTensor] = []
        for entry in entries {
            guard entry.start == position else {
                let fault =
                    entry.start < position ? "overlap those of another tensor" : "leave a gap before them"
                throw malformed("the elements of the tensor \(entry.name) \(fault)")
            }
            guard entry.end <= file.count - dataStart else {
                throw malformed("the elements of the tensor \(entry.name) reach beyond the end of the file")
            }
            let bytes = Array(file[dataStart + entry.start..<dataStart + entry.end])
            tensors.append(SafeTensor(name: entry.name, shape: entry.shape, type: entry.type, bytes: bytes))
            position = entry.end
        }
        guard position == file.count - dataStart else {
            throw malformed("\(file.count - dataStart - position) bytes after the last tensor belong to none")
        }
        return tensors
    }

    /// Writes tensors with the metadata `{"format":"pt"}`, byte for byte as `safetensors.torch.save_file` does.
    ///
    /// - Parameters:
    ///   - tensors: tensors of different names.
    ///   - path: what is written; give the temporary path of an `AtomicOutput`.
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package static func write(_ tensors: [SafeTensor], to path: String) throws(FormatError) {
        precondition(Set(tensors.map(\.name)).count == tensors.count, "two tensors have the same name")
        // Large elements first, so that all are aligned; then by name.
        let order = SafeTensorType.allCases.sorted { $0.size > $1.size }
        let tensors = order.flatMap { type in
            tensors.filter { $0.type == type }.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        }
        var header = #"{"__metadata__":{"format":"pt"}"#
        var position = 0
        for tensor in tensors {
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            let end = position + tensor.bytes.count
            header +=
                ",\(JSONValue.string(tensor.name).serialized()):{\"dtype\":\"\(tensor.type.rawValue)\",\"shape\":[\(shape)],"
            header += "\"data_offsets\":[\(position),\(end)]}"
            position = end
        }
        header += "}"
        header += String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(8 + header.utf8.count + position)
        for shift in stride(from: 0, to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: header.utf8.count >> shift))
        }
        bytes.append(contentsOf: header.utf8)
        for tensor in tensors { bytes.append(contentsOf: tensor.bytes) }
        try FileBytes.write(bytes, to: path)
    }
}
