internal import RRSchemas

/// The JSON header of a safetensors file: a name, a type, a shape and a place for each tensor.
struct SafeTensorsHeader {
    struct Entry {
        let name: String
        let type: SafeTensorType
        let shape: [Int]
        /// Where the elements start and end, in bytes after the header.
        let start: Int
        let end: Int
    }

    /// The entries in the order of the header, each with a size that is its type's and shape's.
    private(set) var entries: [Entry] = []

    private let path: String

    /// Reads a header, and nothing that such a header may not hold.
    ///
    /// - Parameter range: where the header stands among the bytes of the file.
    /// - Throws: `FormatError` with the code `malformed` or `unsupported`.
    init(_ range: Range<Int>, of file: [UInt8], path: String) throws(FormatError) {
        self.path = path
        guard !range.isEmpty, file[range.lowerBound] == UInt8(ascii: "{") else {
            throw malformed("the header does not begin with {")
        }
        var parser = JSONParser(bytes: file, range: range)
        do {
            try readTensors(with: &parser)
        } catch let error as FormatError {
            throw error
        } catch let error as JSONError {
            throw malformed("the header is not JSON: \(error.message)")
        } catch {
            throw malformed("the header is not JSON: \(error)")
        }
        guard parser.isAtEnd() else { throw malformed("the header goes on after its closing }") }
    }

    private mutating func readTensors(with parser: inout JSONParser) throws {
        var names: Set<String> = []
        try parser.readMembers { name, parser in
            guard names.insert(name).inserted else {
                throw malformed("the header holds the name \(name) twice")
            }
            if name == "__metadata__" {
                try parser.readMembers { _, parser in _ = try text(with: &parser) }
            } else {
                entries.append(try entry(named: name, with: &parser))
            }
        }
    }

    private func entry(named name: String, with parser: inout JSONParser) throws -> Entry {
        var (typeName, shape, offsets): (String?, [Int]?, [Int]?) = (nil, nil, nil)
        try parser.readMembers { key, parser in
            switch key {
            case "dtype" where typeName == nil: typeName = try text(with: &parser)
            case "shape" where shape == nil: shape = try integers(with: &parser)
            case "data_offsets" where offsets == nil: offsets = try integers(with: &parser)
            default: throw malformed("the tensor \(name) has the field \(key), or has it twice")
            }
        }
        guard let typeName, let shape, let offsets, offsets.count == 2 else {
            throw malformed("the tensor \(name) lacks a dtype, a shape or two data_offsets")
        }
        guard let type = SafeTensorType(rawValue: typeName) else {
            throw FormatError(
                .unsupported, path: path,
                "the tensor \(name) has elements of the type \(typeName), which is not known")
        }
        guard offsets[0] <= offsets[1] else {
            throw malformed("the elements of the tensor \(name) end before they start")
        }
        var size = type.size
        for extent in shape {
            let (product, overflow) = size.multipliedReportingOverflow(by: extent)
            guard !overflow else { throw malformed("the shape of the tensor \(name) overflows") }
            size = product
        }
        guard size == offsets[1] - offsets[0] else {
            throw malformed(
                "the tensor \(name) of the shape \(shape) needs \(size) bytes but has \(offsets[1] - offsets[0])"
            )
        }
        return Entry(name: name, type: type, shape: shape, start: offsets[0], end: offsets[1])
    }

    // What stands in the wrong place is refused before it is read, or a header of nothing but brackets would take
    // many times its size in memory.

    private func text(with parser: inout JSONParser) throws -> String {
        guard parser.nextIsString(), let text = try parser.readValue().stringValue else {
            throw malformed("the header is not JSON: \" is expected")
        }
        return text
    }

    private func integers(with parser: inout JSONParser) throws -> [Int] {
        var integers: [Int] = []
        try parser.readElements { parser in
            guard parser.nextIsDigit() else { throw noInteger() }
            guard integers.count < ArrayFile.largestRank else {
                throw malformed(
                    "the header has a list of more than \(ArrayFile.largestRank) integers, the most dimensions of a tensor"
                )
            }
            switch try parser.readValue() {
            case .integer(let integer): integers.append(integer)
            case .number(let number) where number != number.rounded():
                throw malformed("the header is not JSON: ] is expected")
            default: throw noInteger()
            }
        }
        return integers
    }

    private func noInteger() -> FormatError {
        malformed("the header has something else where an integer of at least 0 is expected")
    }

    private func malformed(_ message: String) -> FormatError {
        FormatError(.malformed, path: path, "\(message)")
    }
}
