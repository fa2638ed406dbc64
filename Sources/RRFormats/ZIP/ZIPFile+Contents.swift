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

    /// Inflates a member whole, in memory.
    func inflate(_ member: Member, region: Range<Int>, location: String) throws(FormatError) -> [UInt8] {
        guard member.size / Inflater.largestRatio <= member.storedSize else {
            throw FormatError(
                .malformed, path: location,
                "\(member.storedSize) bytes cannot inflate to the \(member.size) that the directory claims")
        }
        guard let inflater = Inflater() else {
            throw FormatError(.cannotRead, path: location, "there is no memory to inflate it")
        }
        let stored = try file.bytes(at: region.lowerBound, count: region.count)
        var outcome = Inflater.Outcome.damaged
        let bytes = [UInt8](unsafeUninitializedCapacity: member.size) { buffer, count in
            let target = UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: member.size)
            outcome = stored.withUnsafeBytes { inflater.inflate($0, .none, into: target) }
            if case .done(_, let written) = outcome { count = written }
        }
        guard case .done(_, member.size) = outcome else {
            throw FormatError(
                .malformed, path: location,
                "the member does not inflate to the \(member.size) bytes that the directory claims: it is damaged"
            )
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

    static func wrongChecksum(_ location: String) -> FormatError {
        FormatError(.malformed, path: location, "the member's checksum is wrong: the file is damaged")
    }

    static func unknownMethod(of member: Member, location: String) -> FormatError {
        FormatError(
            .unsupported, path: location,
            "the member is compressed by method \(member.method); stored and deflated ones are read")
    }
}
