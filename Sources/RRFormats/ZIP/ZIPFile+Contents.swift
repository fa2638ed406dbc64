extension ZIPFile {
    /// Reads a member, inflating one that is deflated.
    ///
    /// - Parameter location: what errors name.
    /// - Throws: `FormatError` with the code `malformed` (also where the member has another checksum or size than the
    ///   directory says), `unsupported` or `cannotRead`.
    func bytes(of member: Member, location: String) throws(FormatError) -> [UInt8] {
        let region = try region(of: member)
        switch member.method {
        case 0:
            guard member.size == member.storedSize else { throw Self.damaged(location) }
            let bytes = try file.bytes(at: region.lowerBound, count: region.count)
            try Self.check(bytes, against: member, location: location)
            return bytes
        case 8: return try inflate(member, region: region, location: location)
        default: throw Self.unknownMethod(of: member, location: location)
        }
    }

    /// Inflates the beginning of a deflated member, whose checksum is not verified.
    ///
    /// - Throws: `FormatError` with the code `malformed` or `cannotRead`.
    func beginning(
        of member: Member, region: Range<Int>, count: Int, location: String
    ) throws(FormatError) -> [UInt8] {
        let inflater = try inflater(for: member, location: location)
        let stored = try file.bytes(at: region.lowerBound, count: region.count)
        let bytes = stored.withUnsafeBytes { inflater.beginning(of: $0, .none, count: count).bytes }
        guard bytes.count == count else { throw Self.otherSize(member, location) }
        return bytes
    }

    private func inflater(for member: Member, location: String) throws(FormatError) -> Inflater {
        guard member.size / Inflater.largestRatio <= member.storedSize else {
            throw FormatError(
                .malformed, path: location,
                "\(member.storedSize) bytes cannot inflate to the \(member.size) that the directory claims")
        }
        guard let inflater = Inflater() else {
            throw FormatError(.cannotRead, path: location, "there is no memory to inflate it")
        }
        return inflater
    }

    /// Inflates a member whole, in memory.
    func inflate(_ member: Member, region: Range<Int>, location: String) throws(FormatError) -> [UInt8] {
        let inflater = try inflater(for: member, location: location)
        let stored = try file.bytes(at: region.lowerBound, count: region.count)
        let (bytes, outcome) = stored.withUnsafeBytes { inflater.bytes(of: $0, .none, size: member.size) }
        guard case .done(_, member.size) = outcome else {
            throw Self.otherSize(member, location)
        }
        try Self.check(bytes, against: member, location: location)
        return bytes
    }

    private static func check(
        _ bytes: [UInt8], against member: Member, location: String
    ) throws(FormatError) {
        guard bytes.withUnsafeBytes({ CRC32.checksum(of: $0) }) == member.checksum else {
            throw wrongChecksum(location)
        }
    }

    private static func otherSize(_ member: Member, _ location: String) -> FormatError {
        FormatError(
            .malformed, path: location,
            "the member does not inflate to the \(member.size) bytes that the directory claims: it is damaged"
        )
    }

    static func wrongChecksum(_ location: String) -> FormatError {
        FormatError(.malformed, path: location, "the member's checksum is wrong: the file is damaged")
    }

    static func unknownMethod(of member: Member, location: String) -> FormatError {
        FormatError(
            .unsupported, path: location,
            "the member is compressed by method \(member.method); stored and deflated ones are read")
    }
}
