/// The arrays of an NPZ file: a ZIP file whose members are NPY files.
package final class NPZFile: Sendable {
    /// A member of more bytes is named in the array's note, since it is inflated in memory whole.
    private static let largestUnnoted = 256 << 20
    /// A member of more bytes is inflated when its elements are read and not when it is opened, so that nothing is inflated
    /// for a header that its size does not fit, nor to tell what there is.
    private static let largestAtOnce = 32 << 20

    package let path: String
    /// The names of the arrays, without `.npy`, in the order of the file.
    package let names: [String]
    private let zip: ZIPFile
    /// The first member of each name, with and without `.npy`: a file may hold many.
    private let members: [String: ZIPFile.Member]

    /// Opens a file.
    ///
    /// - Throws: `FormatError` with the code `notFound`, `cannotRead`, `malformed` or `unsupported`.
    package init(path: String) throws(FormatError) {
        self.path = path
        zip = try ZIPFile(InputFile(reading: path, pipeLimit: .max))
        names = zip.members.map { Self.name(of: $0) }
        var members: [String: ZIPFile.Member] = [:]
        for member in zip.members {
            for name in [Self.name(of: member), member.name] where members[name] == nil {
                members[name] = member
            }
        }
        self.members = members
    }

    private static func name(of member: ZIPFile.Member) -> String {
        member.name.hasSuffix(".npy") ? String(member.name.dropLast(4)) : member.name
    }

    func holds(_ name: String) -> Bool { members[name] != nil }

    /// Opens an array; a member that is deflated is inflated whole, in memory.
    ///
    /// - Throws: `FormatError` with the code `notFound`, which lists what is there, `malformed` (also where the
    ///   member has another checksum or size than the directory says), `unsupported` or `cannotRead`.
    package func array(_ name: String) throws(FormatError) -> StoredArray {
        guard let member = members[name] else {
            let held = names.prefix(20).joined(separator: ", ") + (names.count > 20 ? ", …" : "")
            throw FormatError(
                .notFound, path: "\(path):\(name)",
                "there is no array of this name; the file holds \(held.isEmpty ? "nothing" : held)"
                    + NearestNames(to: name, among: names).question)
        }
        let location = "\(path):\(name)"
        let region = try zip.region(of: member)
        switch member.method {
        case 0:
            guard member.size == member.storedSize else { throw ZIPFile.damaged(location) }
            try checkStored(region, checksum: member.checksum, location: location)
            return try NPYArray.open(
                .file(zip.file), at: region.lowerBound, length: region.count, location: location)
        case 8:
            let bytes: ArrayBytes =
                member.size > Self.largestAtOnce
                ? .deferred(try deferred(member, region: region, location: location))
                : .memory(try zip.inflate(member, region: region, location: location))
            let note =
                member.size > Self.largestUnnoted
                ? "\(location) is compressed and was inflated whole: it takes \(member.size >> 20) MiB of memory"
                : nil
            return try NPYArray.open(bytes, location: location, note: note)
        default:
            throw ZIPFile.unknownMethod(of: member, location: location)
        }
    }

    private func deferred(
        _ member: ZIPFile.Member, region: Range<Int>, location: String
    ) throws(FormatError) -> DeferredBytes {
        let beginning = try zip.beginning(
            of: member, region: region, count: min(member.size, NPYArray.largestBeginning), location: location
        )
        return DeferredBytes(size: member.size, beginning: beginning) { [zip] () throws(FormatError) in
            try zip.inflate(member, region: region, location: location)
        }
    }

    private func checkStored(
        _ region: Range<Int>, checksum: UInt32, location: String
    ) throws(FormatError) {
        var found = CRC32.Running()
        for start in stride(from: region.lowerBound, to: region.upperBound, by: 1 << 20) {
            let bytes = try zip.file.bytes(at: start, count: min(1 << 20, region.upperBound - start))
            bytes.withUnsafeBytes { found.update($0) }
        }
        guard found.value == checksum else { throw ZIPFile.wrongChecksum(location) }
    }
}
