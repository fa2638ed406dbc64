/// A Python pickle of the protocols 2 to 5 as `torch.save` writes it (CPython, `Lib/pickletools.py`), read without running
/// anything: it can hold nothing but tensors, dictionaries, lists, tuples, texts and numbers.
struct Pickle {
    private(set) var root = PickleValue.none
    private(set) var storages: [PickleStorage] = []
    private(set) var tensors: [PickleTensor] = []
    /// The elements of tuples and lists.
    private(set) var sequences: [[PickleValue]] = []
    /// The members of dictionaries in the order in which they were set.
    private(set) var dictionaries: [[(key: PickleValue, value: PickleValue)]] = []

    /// The most values that are kept at once: a byte of a pickle can make one of 24 bytes.
    static let largestCount = 1_000_000

    private let bytes: [UInt8]
    private let location: String
    /// Words to those who meet what is not admitted.
    private let remedy: Message
    private var position = 0
    private var stack: [PickleValue] = []
    private var marks: [Int] = []
    private var memo: [Int: PickleValue] = [:]
    private var storageNumbers: [String: Int] = [:]
    private var valueCount = 0

    /// Reads a pickle.
    ///
    /// - Parameters:
    ///   - location: what errors name.
    ///   - remedy: what follows in errors about what is not admitted.
    /// - Throws: `FormatError` with the code `unsupported`, which names what is not admitted, or `malformed`.
    init(_ bytes: [UInt8], location: String, remedy: Message) throws(FormatError) {
        self.bytes = bytes
        self.location = location
        self.remedy = remedy
        while try step() {}
        stack = []
        memo = [:]
    }

    /// The text-keyed members of a dictionary, in their order.
    func members(of dictionary: Int) -> [(name: String, value: PickleValue)] {
        dictionaries[dictionary].compactMap { member in
            if case .text(let name) = member.key { (name, member.value) } else { nil }
        }
    }
}

// The instructions.
extension Pickle {
    /// Obeys one instruction.
    ///
    /// - Returns: false at the end.
    private mutating func step() throws(FormatError) -> Bool {
        let code = UInt8(try integer(size: 1))
        switch code {
        case 0x80:  // PROTO
            let version = try integer(size: 1)
            guard 2...5 ~= version else { throw refusal("is a pickle of the protocol \(version)") }
        case 0x95: _ = try slice(8)  // FRAME
        case UInt8(ascii: "."):
            root = try pop()
            return false
        case UInt8(ascii: "("): try addMark()
        case UInt8(ascii: "0"): _ = try pop()
        case UInt8(ascii: "1"): _ = try popToMark()
        case UInt8(ascii: "2"): try push(top())
        case UInt8(ascii: "N"): try push(.none)
        case 0x88: try push(.truth(true))
        case 0x89: try push(.truth(false))
        case UInt8(ascii: "J"):
            try push(.integer(Int(Int32(truncatingIfNeeded: integer(size: 4)))))
        case UInt8(ascii: "K"): try push(.integer(integer(size: 1)))
        case UInt8(ascii: "M"): try push(.integer(integer(size: 2)))
        case 0x8A: try push(long(size: integer(size: 1)))
        case 0x8B: try push(long(size: integer(size: 4)))
        case UInt8(ascii: "G"):
            _ = try slice(8)
            try push(.opaque)
        case UInt8(ascii: "X"): try push(.text(text(size: integer(size: 4))))
        case 0x8C: try push(.text(text(size: integer(size: 1))))
        case 0x8D: try push(.text(text(size: integer(size: 8))))
        case UInt8(ascii: "U"), UInt8(ascii: "C"): try pushBytes(size: integer(size: 1))
        case UInt8(ascii: "T"), UInt8(ascii: "B"): try pushBytes(size: integer(size: 4))
        case 0x8E: try pushBytes(size: integer(size: 8))
        default: try stepOfContainers(code)
        }
        return true
    }

    private mutating func stepOfContainers(_ code: UInt8) throws(FormatError) {
        switch code {
        case UInt8(ascii: ")"), UInt8(ascii: "]"): try push(sequence([]))
        case UInt8(ascii: "t"), UInt8(ascii: "l"): try push(sequence(popToMark()))
        case 0x85, 0x86, 0x87:  // TUPLE1 to TUPLE3
            let count = Int(code) - 0x84
            guard stack.count - (marks.last ?? 0) >= count else {
                throw damage("it takes more values than there are")
            }
            let elements = Array(stack.suffix(count))
            stack.removeLast(count)
            try push(sequence(elements))
        case UInt8(ascii: "a"): try append([pop()])
        case UInt8(ascii: "e"): try append(popToMark())
        case UInt8(ascii: "}"): try push(dictionary([]))
        case UInt8(ascii: "d"):
            let members = try popToMark()
            try push(dictionary([]))
            try set(members)
        case UInt8(ascii: "s"):
            let value = try pop()
            try set([pop(), value])
        case UInt8(ascii: "u"): try set(popToMark())
        case UInt8(ascii: "q"): try keep(integer(size: 1))
        case UInt8(ascii: "r"): try keep(integer(size: 4))
        case 0x94: try keep(memo.count)
        case UInt8(ascii: "h"): try recall(integer(size: 1))
        case UInt8(ascii: "j"): try recall(integer(size: 4))
        case UInt8(ascii: "c"): try push(global(module: line(), name: line()))
        case 0x93:  // STACK_GLOBAL
            guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
                throw damage("a name is no text")
            }
            try push(global(module: module, name: name))
        case UInt8(ascii: "R"): try reduce()
        case UInt8(ascii: "b"):
            // What torch.save keeps beside the members of a state dict: the versions of its modules.
            _ = try pop()
            guard case .dictionary = try top() else { throw refusal("sets the attributes of an object") }
        case UInt8(ascii: "Q"): try pushStorage(pop())
        default:
            throw refusal(
                "has the instruction \(Self.names[code] ?? "\(code)") in its pickle")
        }
    }

    /// Instructions that people meet and that are not obeyed.
    private static let names: [UInt8: String] = [
        UInt8(ascii: "i"): "INST", UInt8(ascii: "o"): "OBJ", 0x81: "NEWOBJ", 0x92: "NEWOBJ_EX", 0x82: "EXT1",
        0x83: "EXT2", 0x84: "EXT4", 0x8F: "EMPTY_SET", 0x90: "ADDITEMS", 0x91: "FROZENSET",
        0x96: "BYTEARRAY8",
        0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER", UInt8(ascii: "P"): "PERSID",
    ]

    /// Calls what a pickle may call: makers of tensors and of containers.
    private mutating func reduce() throws(FormatError) {
        guard case .sequence(let number) = try pop(), case .global(let global) = try pop() else {
            throw damage("it calls what cannot be called")
        }
        let arguments = sequences[number]
        switch (global, arguments.first) {
        case (.orderedDictionary, nil), (.counter, nil): try push(dictionary([]))
        case (.counter, .dictionary(let counts)?): try push(.dictionary(counts))
        case (.size, .sequence(let extents)?): try push(.sequence(extents))
        case (.device, _): try push(.opaque)
        case (.parameter, .tensor(let tensor)?): try push(.tensor(tensor))
        case (.tensor, .storage(let storage)?):
            guard arguments.count >= 4, case .integer(let offset) = arguments[1],
                let shape = integers(arguments[2]), let strides = integers(arguments[3]),
                let tensor = PickleTensor(
                    storage: storage, count: storages[storage].count, offset: offset, shape: shape,
                    strides: strides)
            else { throw damage("a tensor does not lie in its storage") }
            tensors.append(tensor)
            try push(.tensor(tensors.count - 1))
        default: throw refusal("makes a tensor or a dictionary of arguments that are not served")
        }
    }

    /// Makes a storage of the tuple that names it: ("storage", its type, the key of its member, the device, the count).
    private mutating func pushStorage(_ name: PickleValue) throws(FormatError) {
        guard case .sequence(let number) = name, sequences[number].count == 5,
            case .text("storage") = sequences[number][0], case .text(let key) = sequences[number][2],
            case .integer(let count) = sequences[number][4], count >= 0
        else { throw damage("a storage has no type, key and number of elements") }
        guard case .global(.storage(let type)) = sequences[number][1] else {
            throw refusal("has a storage of another type than torch.FloatStorage and its like")
        }
        if let known = storageNumbers[key] {
            guard storages[known].type == type, storages[known].count == count else {
                throw damage("the storage \(key) has two types or sizes")
            }
            return try push(.storage(known))
        }
        storageNumbers[key] = storages.count
        storages.append(PickleStorage(key: key, type: type, count: count))
        try push(.storage(storages.count - 1))
    }
}

// Values.
extension Pickle {
    private mutating func count() throws(FormatError) {
        valueCount += 1
        guard valueCount <= Self.largestCount else {
            throw FormatError(
                .unsupported, path: location,
                "the pickle makes more than \(Self.largestCount) values")
        }
    }

    private mutating func push(_ value: PickleValue) throws(FormatError) {
        try count()
        stack.append(value)
    }

    private func top() throws(FormatError) -> PickleValue {
        guard stack.count > marks.last ?? 0, let value = stack.last else {
            throw damage("it takes more values than there are")
        }
        return value
    }

    private mutating func pop() throws(FormatError) -> PickleValue {
        let value = try top()
        stack.removeLast()
        return value
    }

    private mutating func addMark() throws(FormatError) {
        try count()
        marks.append(stack.count)
    }

    private mutating func popToMark() throws(FormatError) -> [PickleValue] {
        guard let mark = marks.popLast() else { throw damage("a mark is missing") }
        let values = Array(stack[mark...])
        stack.removeLast(values.count)
        return values
    }

    private mutating func sequence(_ elements: [PickleValue]) -> PickleValue {
        sequences.append(elements)
        return .sequence(sequences.count - 1)
    }

    private mutating func dictionary(_ members: [(PickleValue, PickleValue)]) -> PickleValue {
        dictionaries.append(members)
        return .dictionary(dictionaries.count - 1)
    }

    private mutating func append(_ elements: [PickleValue]) throws(FormatError) {
        guard case .sequence(let number) = try top() else { throw damage("it appends to what is no list") }
        sequences[number] += elements
    }

    /// Sets members of the dictionary on top: keys and values by turns.
    private mutating func set(_ members: [PickleValue]) throws(FormatError) {
        guard case .dictionary(let number) = try top(), members.count % 2 == 0 else {
            throw damage("it sets members of what is no dictionary")
        }
        for key in stride(from: 0, to: members.count, by: 2) {
            dictionaries[number].append((members[key], members[key + 1]))
        }
    }

    private mutating func keep(_ number: Int) throws(FormatError) {
        try count()
        memo[number] = try top()
    }

    private mutating func recall(_ number: Int) throws(FormatError) {
        guard let value = memo[number] else { throw damage("it recalls a value that it did not keep") }
        try push(value)
    }

    private func integers(_ value: PickleValue) -> [Int]? {
        guard case .sequence(let number) = value, sequences[number].count <= 64 else { return nil }
        let integers = sequences[number].compactMap {
            if case .integer(let value) = $0 { value } else { nil }
        }
        return integers.count == sequences[number].count ? integers : nil
    }

    private func global(module: String, name: String) throws(FormatError) -> PickleValue {
        guard let global = PickleGlobal(module: module, name: name) else {
            throw refusal("holds \(module).\(name)")
        }
        if case .elementType = global { return .opaque }
        return .global(global)
    }
}

// Bytes.
extension Pickle {
    private mutating func slice(_ size: Int) throws(FormatError) -> ArraySlice<UInt8> {
        guard size >= 0, size <= bytes.count - position else { throw damage("it is cut short") }
        defer { position += size }
        return bytes[position..<position + size]
    }

    /// An unsigned little-endian integer.
    private mutating func integer(size: Int) throws(FormatError) -> Int {
        let value = try slice(size).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard let integer = Int(exactly: value) else { throw damage("a size is too large") }
        return integer
    }

    /// A signed little-endian integer of any size.
    private mutating func long(size: Int) throws(FormatError) -> PickleValue {
        let bytes = try slice(size)
        guard size <= 8 else { return .opaque }
        let isNegative = bytes.last ?? 0 >= 128
        return .integer(bytes.reversed().reduce(isNegative ? -1 : 0) { $0 << 8 | Int($1) })
    }

    private mutating func text(size: Int) throws(FormatError) -> String {
        // Python writes lone surrogates, which are no Unicode; nobody calls a tensor so.
        String(decoding: try slice(size), as: UTF8.self)
    }

    /// Bytes, or a text of Python 2, of which the names of tensors may be.
    private mutating func pushBytes(size: Int) throws(FormatError) {
        let bytes = try slice(size)
        try push(String(validating: bytes, as: UTF8.self).map { .text($0) } ?? .opaque)
    }

    private mutating func line() throws(FormatError) -> String {
        guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else {
            throw damage("it is cut short")
        }
        defer { position = end + 1 }
        return String(decoding: bytes[position..<end], as: UTF8.self)
    }

    private func damage(_ what: String) -> FormatError {
        FormatError(.malformed, path: location, "the pickle is damaged at byte \(position): \(what)")
    }

    private func refusal(_ what: String) -> FormatError {
        FormatError(.unsupported, path: location, "the file \(what)\(remedy)" as Message)
    }
}
