import RRFormats

extension MalformedInput {
    private typealias Member = ArchiveBuilder.Member
    private static let npz = SourceBytes.fixture("formats/npz/named.npz")
    private static let small = try? ArchiveBuilder.npy(shape: "(2, 2)", elements: [1, 2, 3, 4]).make()

    private static func read(
        _ name: String, _ bytes: SourceBytes, _ exit: Int32 = 65, _ code: String = "malformed"
    ) -> [MalformedInput] {
        [
            MalformedInput(name, "info x.npz", "x.npz", bytes, exit, code),
            MalformedInput(name, "import npz x.npz --images a -o out.h5", "x.npz", bytes, exit, code),
        ]
    }

    private static func imported(
        _ name: String, _ bytes: SourceBytes, _ exit: Int32 = 65, _ code: String = "malformed",
        images: String = "a"
    ) -> [MalformedInput] {
        [MalformedInput(name, "import npz x.npz --images \(images) -o out.h5", "x.npz", bytes, exit, code)]
    }

    /// NPZ files: ZIP files of NPY files.
    static let archives: [MalformedInput] = Array(
        [
            read("NPZ cut inside its directory", npz.cut(to: -30)),
            read("NPZ cut inside a member", npz.cut(to: 100)),
            read("NPZ of an end that states 65,000 members", ArchiveBuilder.zip([member()], count: 65_000)),
            imported("NPZ whose member is beyond the file", ArchiveBuilder.zip([member(offset: 1 << 30)])),
            read(
                "NPZ whose members are the same bytes",
                ArchiveBuilder.zip([member(), member(name: "b.npy", offset: 0, isThere: false)])),
            read("NPZ of a thousand names for 8 MB in 50 KB", overlapping(1000)),
            read(
                "NPZ of a member that reaches into the next",
                ArchiveBuilder.zip([longer(), member(name: "b.npy")])),
            read("NPZ of a member that reaches into the directory", ArchiveBuilder.zip([longer()])),
            imported("NPZ with a damaged name", npz.flipped(at: -100, bit: 3), 66, "not-found"),
            read("NPZ of a damaged end", npz.flipped(at: -22)),
            read("NPZ with text behind", npz + .text("more")),
            read("empty NPZ", .bytes([])),
            read("NPZ of its first four bytes", npz.cut(to: 4)),
            imported("NPZ whose member has another checksum", ArchiveBuilder.zip([member(checksum: 1)])),
            imported(
                "NPZ whose member is encrypted", ArchiveBuilder.zip([member(flags: 1)]), 65, "unsupported"),
            imported(
                "NPZ whose member is of bzip2", .fixture("formats/npz/refused-bzip2.npz"), 65, "unsupported"),
            imported("NPZ whose member is cut", .fixture("formats/npz/damaged-deflated.npz")),
            imported("NPZ whose member states 4 GB", .fixture("formats/npz/damaged-vast.npz")),
            imported("NPZ whose stored member has two sizes", ArchiveBuilder.zip([member(size: 5)])),
            imported("NPZ whose member is no NPY", ArchiveBuilder.zip([Member(stored: Array("text".utf8))])),
            imported("NPZ whose member is empty", ArchiveBuilder.zip([Member()])),
            imported("NPZ without the array", npz, 66, "not-found", images: "elsewhere"),
            imported("NPZ without members", ArchiveBuilder.zip([]), 66, "not-found"),
            imported("NPZ of 8 MB of zeros, which are no NPY", zeros(8_000_000)),
            imported("NPZ of 40 MB of zeros, which are no NPY", zeros(40_000_000)),
            imported(
                "NPZ that states 800 MB of 1 MB of noise",
                ArchiveBuilder.zip([Member(method: 8, stored: noise(1_000_000), size: 800_000_000)])),
            imported(
                "NPZ that states 800 MB and has 8 MB",
                SourceBytes {
                    let stored = ArchiveBuilder.deflatedZeros(8_000_000) + noise(900_000)
                    return try ArchiveBuilder.zip([Member(method: 8, stored: stored, size: 800_000_000)])
                        .make()
                }),
        ].joined())

    private static func member(
        name: String = "a.npy", size: Int? = nil, checksum: UInt32? = nil, flags: Int = 0, offset: Int? = nil,
        isThere: Bool = true
    ) -> Member {
        Member(
            name: name, stored: small ?? [], size: size, checksum: checksum, flags: flags, offset: offset,
            isThere: isThere)
    }

    /// A member that claims more bytes than it has.
    private static func longer() -> Member {
        var member = member()
        member.claimed = member.stored.count + 20
        return member
    }

    private static func zeros(_ count: Int) -> SourceBytes {
        SourceBytes {
            let checksum = [UInt8](repeating: 0, count: count).withUnsafeBytes { CRC32.checksum(of: $0) }
            return try ArchiveBuilder.zip([
                Member(
                    method: 8, stored: ArchiveBuilder.deflatedZeros(count), size: count, checksum: checksum)
            ]).make()
        }
    }

    /// As many names of the same bytes.
    private static func overlapping(_ count: Int) -> SourceBytes {
        SourceBytes {
            let stored = ArchiveBuilder.deflatedZeros(8_000_000)
            let first = Member(method: 8, stored: stored, size: 8_000_000)
            let others = (1..<count).map { number in
                var member = first
                (member.name, member.offset, member.isThere) = ("a\(number).npy", 0, false)
                return member
            }
            return try ArchiveBuilder.zip([first] + others).make()
        }
    }
}
