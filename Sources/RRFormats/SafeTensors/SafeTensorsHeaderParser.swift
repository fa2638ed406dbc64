/// Reads the JSON header of a safetensors file, and nothing that such a header may not hold.
struct SafeTensorsHeaderParser {
    struct Entry {
        let name: String
        let type: SafeTensorType
        let shape: [Int]
        /// Where the elements start and end, in bytes after the header.
        let start: Int
        let end: Int
    }

    private let path: String
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>, path: String) {
        self.path = path
        self.rest = bytes
    }

    /// The entries in the order of the header, each with a size that is its type's and shape's.
    ///
    /// - Throws: `FormatError` with the code `malformed` or `unsupported`.
    mutating func entries() throws(FormatError) -> [Entry] {
        guard rest.first == UInt8(ascii: "{") else { throw malformed("the header does not begin with {") }
        var entries: [Entry] = []
        var names: Set<String> = []
        try members { parser, name throws(FormatError) in
            guard names.insert(name).inserted else {
                throw parser.malformed("the header holds the name \(name) twice")
            }
            if name == "__metadata__" {
                try parser.members { parser, _ throws(FormatError) in _ = try parser.text() }
            } else {
                entries.append(try parser.entry(named: name))
            }
        }
        skipSpace()
        guard rest.isEmpty else { throw malformed("the header goes on after its closing }") }
        return entries
    }

    private mutating func entry(named name: String) throws(FormatError) -> Entry {
        var (typeName, shape, offsets): (String?, [Int]?, [Int]?) = (nil, nil, nil)
        try members { parser, key throws(FormatError) in
            switch key {
            case "dtype" where typeName == nil: typeName = try parser.text()
            case "shape" where shape == nil: shape = try parser.integers()
            case "data_offsets" where offsets == nil: offsets = try parser.integers()
            default: throw parser.malformed("the tensor \(name) has the field \(key), or has it twice")
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
}

extension SafeTensorsHeaderParser {
    private func malformed(_ message: String) -> FormatError {
        FormatError(.malformed, path: path, message)
    }

    /// Reads an object and calls a body after each key and colon.
    private mutating func members(
        _ body: (inout Self, String) throws(FormatError) -> Void
    ) throws(FormatError) {
        try expect("{")
        if take("}") { return }
        repeat {
            let key = try text()
            try expect(":")
            try body(&self, key)
        } while take(",")
        try expect("}")
    }

    private mutating func integers() throws(FormatError) -> [Int] {
        try expect("[")
        var integers: [Int] = []
        if take("]") { return integers }
        repeat {
            skipSpace()
            let digits = rest.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
            guard let integer = Int(String(decoding: digits, as: UTF8.self)) else {
                throw malformed("the header has something else where an integer of at least 0 is expected")
            }
            rest = rest.dropFirst(digits.count)
            integers.append(integer)
        } while take(",")
        try expect("]")
        return integers
    }

    private mutating func text() throws(FormatError) -> String {
        try expect("\"")
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: bytes, as: UTF8.self) else {
                    throw malformed("the header is not UTF-8")
                }
                return text
            case UInt8(ascii: "\\"): bytes.append(contentsOf: try escape())
            case 0..<0x20: throw malformed("the header has a control character in a text")
            default: bytes.append(byte)
            }
        }
        throw malformed("the header ends within a text")
    }

    private mutating func escape() throws(FormatError) -> [UInt8] {
        switch rest.popFirst() {
        case UInt8(ascii: "\""): return [0x22]
        case UInt8(ascii: "\\"): return [0x5C]
        case UInt8(ascii: "/"): return [0x2F]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            var units = [try codeUnit()]
            if 0xD800..<0xDC00 ~= units[0], rest.starts(with: "\\u".utf8) {
                rest = rest.dropFirst(2)
                units.append(try codeUnit())
            }
            guard let text = String(validating: units, as: UTF16.self) else {
                throw malformed("the header has half a surrogate pair")
            }
            return Array(text.utf8)
        default: throw malformed("the header has an escape that JSON does not know")
        }
    }

    private mutating func codeUnit() throws(FormatError) -> UInt16 {
        let digits = rest.prefix(4)
        guard digits.count == 4, digits.first != UInt8(ascii: "+"), digits.first != UInt8(ascii: "-"),
            let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw malformed("the header has an escape that JSON does not know") }
        rest = rest.dropFirst(4)
        return unit
    }

    private mutating func expect(_ token: String) throws(FormatError) {
        guard take(token) else { throw malformed("the header is not JSON: \(token) is expected") }
    }

    private mutating func take(_ token: String) -> Bool {
        skipSpace()
        guard rest.starts(with: token.utf8) else { return false }
        rest = rest.dropFirst(token.utf8.count)
        return true
    }

    private mutating func skipSpace() {
        rest = rest.drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
    }
}
