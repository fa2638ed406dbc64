/// Numbers and texts in a row of bytes, as a program and the process that reads a file for it exchange them.
struct HDF5Record {
    private(set) var bytes: [UInt8] = []

    mutating func append(_ number: Int) {
        withUnsafeBytes(of: Int64(number).littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func append(_ flag: Bool) { bytes.append(flag ? 1 : 0) }

    mutating func append(_ text: String) {
        append(text.utf8.count)
        bytes.append(contentsOf: text.utf8)
    }

    mutating func append(_ block: [UInt8]) {
        append(block.count)
        bytes.append(contentsOf: block)
    }

    mutating func append<Element>(_ list: [Element], each: (inout HDF5Record, Element) -> Void) {
        append(list.count)
        for element in list { each(&self, element) }
    }

    mutating func append<Value>(_ value: Value?, some: (inout HDF5Record, Value) -> Void) {
        append(value != nil)
        if let value { some(&self, value) }
    }
}

/// An answer that is none: whoever gave it is out of its mind.
struct HDF5BrokenRecord: Error {}

/// Takes a record apart. Nothing in it is believed: what runs past its end is an error, and no list is longer than the
/// bytes that are left.
struct HDF5RecordParser {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    init(_ bytes: [UInt8]) {
        self.bytes = bytes[...]
        position = 0
    }

    /// Throws where something is left over.
    func end() throws(HDF5BrokenRecord) {
        guard position == bytes.endIndex else { throw HDF5BrokenRecord() }
    }

    private mutating func take(_ count: Int) throws(HDF5BrokenRecord) -> ArraySlice<UInt8> {
        guard count >= 0, count <= bytes.endIndex - position else { throw HDF5BrokenRecord() }
        defer { position += count }
        return bytes[position..<position + count]
    }

    mutating func number() throws(HDF5BrokenRecord) -> Int {
        let bits = try take(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Int(Int64(bitPattern: bits))
    }

    /// A number that is not negative.
    mutating func size() throws(HDF5BrokenRecord) -> Int {
        let number = try number()
        guard number >= 0 else { throw HDF5BrokenRecord() }
        return number
    }

    mutating func flag() throws(HDF5BrokenRecord) -> Bool {
        switch try take(1).first {
        case 0: return false
        case 1: return true
        default: throw HDF5BrokenRecord()
        }
    }

    mutating func text() throws(HDF5BrokenRecord) -> String {
        let utf8 = try take(try number())
        guard let text = String(validating: utf8, as: UTF8.self) else { throw HDF5BrokenRecord() }
        return text
    }

    mutating func block() throws(HDF5BrokenRecord) -> [UInt8] { Array(try take(try number())) }

    mutating func list<Element>(
        _ element: (inout HDF5RecordParser) throws(HDF5BrokenRecord) -> Element
    ) throws(HDF5BrokenRecord) -> [Element] {
        let count = try number()
        // Each element has a byte at least.
        guard count >= 0, count <= bytes.endIndex - position else { throw HDF5BrokenRecord() }
        var list: [Element] = []
        for _ in 0..<count { list.append(try element(&self)) }
        return list
    }

    mutating func optional<Value>(
        _ value: (inout HDF5RecordParser) throws(HDF5BrokenRecord) -> Value
    ) throws(HDF5BrokenRecord) -> Value? {
        try flag() ? try value(&self) : nil
    }
}
