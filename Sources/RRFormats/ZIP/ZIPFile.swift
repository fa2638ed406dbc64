/// The members of a ZIP file (PKWARE's APPNOTE.TXT 6.3), with ZIP64; stored or deflated, in one piece, not encrypted.
struct ZIPFile {
    struct Member: Hashable {
        let name: String
        let method: Int
        let isEncrypted: Bool
        let checksum: UInt32
        let storedSize: Int
        let size: Int
        /// Where its own header is, in the file.
        let headerOffset: Int
        /// The bytes of its own header and its stored bytes, at least.
        let leastSize: Int
        /// Where what is not the member's begins: the next member, the directory, or the end of the file.
        var limit = 0
    }

    let file: InputFile
    let members: [Member]

    /// Reads the directory of members.
    ///
    /// - Throws: `FormatError` with the code `malformed`, also where two members share bytes, `unsupported` for a part of
    ///   several, or `cannotRead`.
    init(_ file: InputFile) throws(FormatError) {
        self.file = file
        let end = try EndRecord(of: file)
        // Each entry takes 46 bytes at least.
        guard end.directoryOffset <= file.size, end.directorySize <= file.size - end.directoryOffset,
            end.memberCount <= end.directorySize / 46
        else { throw Self.damaged(file.path) }
        let directory = LittleEndianBytes(
            try file.bytes(at: end.directoryOffset, count: end.directorySize))
        var members: [Member] = []
        var position = 0
        for _ in 0..<end.memberCount {
            guard let (member, next) = Self.entry(in: directory, at: position) else {
                throw Self.damaged(file.path)
            }
            members.append(member)
            position = next
        }
        self.members = try Self.limited(members, before: end.directoryOffset, in: file)
    }

    /// The members with their limits.
    ///
    /// A directory that names the same bytes many times makes any amount of data of a small file, so that each byte
    /// belongs to one member at most, as Python's zipfile has it.
    ///
    /// - Throws: `FormatError` with the code `malformed` where two members share bytes.
    private static func limited(
        _ members: [Member], before directoryOffset: Int, in file: InputFile
    ) throws(FormatError) -> [Member] {
        var members = members
        let order = members.indices.sorted { members[$0].headerOffset < members[$1].headerOffset }
        for (position, number) in order.enumerated() {
            let member = members[number]
            let next = position + 1 < order.count ? members[order[position + 1]] : nil
            let limit =
                next?.headerOffset ?? (member.headerOffset < directoryOffset ? directoryOffset : file.size)
            members[number].limit = limit
            // What lies outside of the file is said by whoever reads the member.
            let (end, overflow) = member.headerOffset.addingReportingOverflow(member.leastSize)
            guard !overflow, end <= file.size, end > limit else { continue }
            throw shared(member, "its \(member.leastSize) bytes at \(member.headerOffset)", limit, in: file)
        }
        return members
    }

    private static func shared(
        _ member: Member, _ bytes: String, _ limit: Int, in file: InputFile
    ) -> FormatError {
        FormatError(
            .malformed, path: file.path,
            "the ZIP file's member \(member.name) shares bytes with another: \(bytes) reach beyond \(limit)")
    }

    /// An entry of the directory, and where the next one is; nil where it is damaged.
    private static func entry(in directory: LittleEndianBytes, at start: Int) -> (Member, next: Int)? {
        guard directory.integer(at: start, size: 4) == 0x0201_4B50,
            let flags = directory.integer(at: start + 8, size: 2),
            let method = directory.integer(at: start + 10, size: 2),
            let checksum = directory.integer(at: start + 16, size: 4),
            var storedSize = directory.integer(at: start + 20, size: 4),
            var size = directory.integer(at: start + 24, size: 4),
            let nameLength = directory.integer(at: start + 28, size: 2),
            let extraLength = directory.integer(at: start + 30, size: 2),
            let commentLength = directory.integer(at: start + 32, size: 2),
            var headerOffset = directory.integer(at: start + 42, size: 4),
            let name = directory.bytes(at: start + 46, count: nameLength)
        else { return nil }
        // Fields that are all ones are continued in the extra field 1, in this order.
        let extraEnd = start + 46 + nameLength + extraLength
        var field = start + 46 + nameLength
        while field + 4 <= extraEnd, let id = directory.integer(at: field, size: 2),
            let length = directory.integer(at: field + 2, size: 2)
        {
            if id == 1 {
                var position = field + 4
                func wide(_ value: inout Int) -> Bool {
                    guard value == 0xFFFF_FFFF else { return true }
                    guard position + 8 <= field + 4 + length,
                        let integer = directory.integer(at: position, size: 8)
                    else { return false }
                    value = integer
                    position += 8
                    return true
                }
                guard wide(&size), wide(&storedSize), wide(&headerOffset) else { return nil }
            }
            field += 4 + length
        }
        let member = Member(
            name: String(decoding: name, as: UTF8.self), method: method, isEncrypted: flags & 1 != 0,
            checksum: UInt32(checksum), storedSize: storedSize, size: size, headerOffset: headerOffset,
            leastSize: storedSize.addingReportingOverflow(30 + nameLength).partialValue)
        return (member, extraEnd + commentLength)
    }

    /// Where a member's stored bytes are, in the file.
    ///
    /// - Throws: `FormatError` with the code `malformed`, `unsupported` or `cannotRead`.
    func region(of member: Member) throws(FormatError) -> Range<Int> {
        let location = "\(file.path):\(member.name)"
        guard !member.isEncrypted else {
            throw FormatError(.unsupported, path: location, "the member is encrypted")
        }
        guard member.headerOffset <= file.size else { throw Self.damaged(location) }
        let header = LittleEndianBytes(try file.bytes(at: member.headerOffset, count: 30))
        guard header.integer(at: 0, size: 4) == 0x0403_4B50,
            let nameLength = header.integer(at: 26, size: 2),
            let extraLength = header.integer(at: 28, size: 2)
        else { throw Self.damaged(location) }
        let start = member.headerOffset + 30 + nameLength + extraLength
        guard start <= file.size, member.storedSize <= file.size - start else {
            throw FormatError(
                .malformed, path: location,
                "the directory claims \(member.storedSize) bytes at \(start), but the file has \(file.size)")
        }
        guard start + member.storedSize <= member.limit else {
            throw Self.shared(member, "its \(member.storedSize) bytes at \(start)", member.limit, in: file)
        }
        return start..<start + member.storedSize
    }

    static func damaged(_ location: String) -> FormatError {
        FormatError(.malformed, path: location, "the ZIP file is damaged or cut short")
    }
}

/// The record at the end of a ZIP file that says where the directory is.
struct EndRecord {
    let memberCount: Int
    let directorySize: Int
    let directoryOffset: Int

    /// Finds it; behind it there is at most a comment of 65,535 bytes.
    ///
    /// - Throws: `FormatError` with the code `malformed`, `unsupported` or `cannotRead`.
    init(of file: InputFile) throws(FormatError) {
        let tailStart = max(0, file.size - 22 - 65_535)
        let tail = LittleEndianBytes(try file.bytes(at: tailStart, count: file.size - tailStart))
        guard
            let start = stride(from: tail.all.count - 22, through: 0, by: -1).first(where: {
                tail.integer(at: $0, size: 4) == 0x0605_4B50
                    && tail.integer(at: $0 + 20, size: 2) == tail.all.count - $0 - 22
            }),
            let disk = tail.integer(at: start + 4, size: 2),
            let memberCount = tail.integer(at: start + 10, size: 2),
            let directorySize = tail.integer(at: start + 12, size: 4),
            let directoryOffset = tail.integer(at: start + 16, size: 4)
        else {
            throw FormatError(
                .malformed, path: file.path,
                "this is not a ZIP file (.npz), or it is cut short: it has no end record")
        }
        guard memberCount == 0xFFFF || directorySize == 0xFFFF_FFFF || directoryOffset == 0xFFFF_FFFF else {
            guard disk == 0 else {
                throw FormatError(.unsupported, path: file.path, "this is one part of a ZIP file of several")
            }
            self.memberCount = memberCount
            self.directorySize = directorySize
            self.directoryOffset = directoryOffset
            return
        }
        // ZIP64: a locator right before, and the wide record where it points.
        guard tail.integer(at: start - 20, size: 4) == 0x0706_4B50,
            let recordOffset = tail.integer(at: start - 12, size: 8), recordOffset <= file.size
        else { throw ZIPFile.damaged(file.path) }
        let record = LittleEndianBytes(try file.bytes(at: recordOffset, count: 56))
        guard record.integer(at: 0, size: 4) == 0x0606_4B50,
            let wideCount = record.integer(at: 32, size: 8),
            let wideSize = record.integer(at: 40, size: 8),
            let wideOffset = record.integer(at: 48, size: 8)
        else { throw ZIPFile.damaged(file.path) }
        self.memberCount = wideCount
        self.directorySize = wideSize
        self.directoryOffset = wideOffset
    }
}

/// Bytes from which integers are taken, none beyond the end.
struct LittleEndianBytes {
    let all: [UInt8]

    init(_ bytes: [UInt8]) { all = bytes }

    /// An unsigned integer of 1 to 8 bytes; nil beyond the end, or where it is above `Int.max`.
    func integer(at offset: Int, size: Int) -> Int? {
        guard let bytes = bytes(at: offset, count: size) else { return nil }
        return Int(exactly: bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    func bytes(at offset: Int, count: Int) -> ArraySlice<UInt8>? {
        guard offset >= 0, offset <= all.count, count <= all.count - offset else { return nil }
        return all[offset..<offset + count]
    }
}
