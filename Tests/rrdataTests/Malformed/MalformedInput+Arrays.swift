import RRFormats

extension MalformedInput {
    private static let npy = SourceBytes.fixture("formats/npy/u1.npy")
    private static let idx = SourceBytes.fixture("formats/idx/u1.idx")
    private static let gzip = SourceBytes.fixture("formats/idx/u1.gz")

    private static func read(
        _ name: String, as kind: String, _ bytes: SourceBytes, _ exit: Int32 = 65,
        _ code: String = "malformed"
    ) -> [MalformedInput] {
        [
            MalformedInput(name, "info x.\(kind)", "x.\(kind)", bytes, exit, code),
            MalformedInput(name, "import \(kind) x.\(kind) -o out.h5", "x.\(kind)", bytes, exit, code),
        ]
    }

    private static func mask(
        _ name: String, _ path: String, _ bytes: SourceBytes, _ code: String = "malformed"
    ) -> [MalformedInput] {
        [
            MalformedInput(
                name, "import masks \(path) --for d.h5 -o out.h5", [path: bytes, "d.h5": smallDataset], 65,
                code)
        ]
    }

    /// NPY and IDX files, plain and compressed.
    static let arrays: [MalformedInput] = Array(
        [
            read("NPY cut inside its name", as: "npy", npy.cut(to: 4)),
            read("NPY cut inside its header", as: "npy", npy.cut(to: 40)),
            read("NPY cut inside its elements", as: "npy", npy.cut(to: -1)),
            read("NPY with a byte too many", as: "npy", npy + .zeros(1)),
            read("NPY with a damaged name", as: "npy", npy.flipped(at: 4)),
            read("NPY of version 9", as: "npy", npy.with([9], at: 6), 65, "unsupported"),
            read("NPY with a header of 65,535 bytes", as: "npy", npy.with([0xFF, 0xFF], at: 8)),
            read(
                "NPY of version 2 with a header of 4 GiB", as: "npy",
                npy.with([2, 0, 0xFF, 0xFF, 0xFF, 0xFF], at: 6)),
            read(
                "NPY that states 10¹² images", as: "npy", ArchiveBuilder.npy(shape: "(1000000000000, 28, 28)")
            ),
            read(
                "NPY that states more elements than integers", as: "npy",
                ArchiveBuilder.npy(shape: "(9000000000000000000, 9000000000000000000)")),
            read(
                "NPY with an extent that is no integer", as: "npy",
                ArchiveBuilder.npy(shape: "(99999999999999999999,)")),
            read("NPY with a negative extent", as: "npy", ArchiveBuilder.npy(shape: "(-1, 2)")),
            read(
                "NPY of 65 dimensions", as: "npy",
                ArchiveBuilder.npy(shape: "(" + String(repeating: "1, ", count: 65) + ")", elements: [1]), 65,
                "unsupported"),
            read(
                "NPY of 20,000 dimensions", as: "npy",
                ArchiveBuilder.npy(shape: "(" + String(repeating: "1,", count: 20_000) + ")", elements: [1]),
                65, "unsupported"),
            read(
                "NPY of a header of brackets", as: "npy",
                ArchiveBuilder.npy("{'descr': " + String(repeating: "[", count: 60_000))),
            read("NPY of a header that is empty", as: "npy", ArchiveBuilder.npy("")),
            read(
                "NPY of a header without a shape", as: "npy",
                ArchiveBuilder.npy("{'descr': '|u1', 'fortran_order': False}"), 65, "unsupported"),
            read(
                "NPY of objects, which are a pickle", as: "npy", .fixture("formats/npy/refused-object.npy"),
                65, "unsupported"),
            read(
                "NPY of complex numbers", as: "npy", .fixture("formats/npy/refused-complex.npy"), 65,
                "unsupported"),
            read("NPY of records", as: "npy", .fixture("formats/npy/refused-record.npy"), 65, "unsupported"),
            read("empty NPY", as: "npy", .bytes([])),

            read("IDX cut inside its header", as: "idx", idx.cut(to: 9)),
            read("IDX cut inside its elements", as: "idx", idx.cut(to: -1)),
            read("IDX with a byte too many", as: "idx", idx + .zeros(1)),
            read("IDX of an unknown type", as: "idx", idx.with([0x0A], at: 2)),
            read("IDX that states 2⁹⁶ elements", as: "idx", ArchiveBuilder.idx([1 << 31, 1 << 31, 1 << 31])),
            read("IDX that states 2⁶² elements", as: "idx", ArchiveBuilder.idx([1 << 31, 1 << 31])),
            read(
                "IDX that states 4 GB", as: "idx",
                ArchiveBuilder.idx([1 << 20, 64, 64], elements: noise(1000))),
            read(
                "IDX of 255 dimensions", as: "idx",
                ArchiveBuilder.idx([Int](repeating: 1, count: 255), elements: [1]), 65, "unsupported"),
            read("IDX of a magic number alone", as: "idx", .bytes([0, 0, 8, 3])),

            read("gzip cut inside its data", as: "idx", gzip.cut(to: -10)),
            read("gzip cut inside its header", as: "idx", gzip.cut(to: 9)),
            read("gzip with a damaged byte of data", as: "idx", gzip.flipped(at: 20)),
            read("gzip with a damaged checksum", as: "idx", gzip.flipped(at: -6)),
            read(
                "gzip that states 4 GiB at its end", as: "idx", gzip.with([0xFF, 0xFF, 0xFF, 0xFF], at: -4)),
            read("gzip with text behind", as: "idx", gzip + .text("more")),
            read("gzip of the same member thousand times", as: "idx", gzip * 1000),
            read(
                "gzip with a thousand empty members, then a cut one", as: "idx",
                emptyGzip * 1000 + gzip.cut(to: 30)),
            read("gzip of another compression", as: "idx", gzip.with([7], at: 2)),
            read("gzip of 8 MB of zeros, which are no IDX", as: "idx", gzipOfZeros(8_000_000)),
            read("gzip of a thousand times 8 MB", as: "idx", gzipOfZeros(8_000_000) * 100),
            read(
                "gzip of an IDX that states 2⁶² elements", as: "idx",
                ArchiveBuilder.storedGzip(ArchiveBuilder.idx([1 << 31, 1 << 31]))),
            read(
                "gzip of an IDX that states 900 MB", as: "idx",
                ArchiveBuilder.storedGzip(ArchiveBuilder.idx([900, 1000, 1000])) + .zeros(1)),
            read(
                "gzip of an IDX that has more than it states", as: "idx",
                ArchiveBuilder.storedGzip(ArchiveBuilder.idx([1, 2, 2], elements: Array(0..<99)))),
            read(
                "gzip of an IDX that has less than it states", as: "idx",
                ArchiveBuilder.storedGzip(ArchiveBuilder.idx([1, 9, 9], elements: Array(0..<9)))),

            mask("mask NPY that is cut", "x.npy", npy.cut(to: 40)),
            mask(
                "mask NPY that states 10¹² masks", "x.npy", ArchiveBuilder.npy(shape: "(1000000000000, 5, 4)")
            ),
            mask("mask IDX that is cut", "x.idx", idx.cut(to: -1)),
            mask(
                "mask of another shape", "x.npy",
                ArchiveBuilder.npy(shape: "(3, 7, 7)", elements: [UInt8](repeating: 1, count: 147)),
                "wrong-mask-size"),
            mask("mask of no format", "x.bin", .bytes(noise(100)), "unsupported"),
            mask(
                "mask of safetensors", "x.bin", ArchiveBuilder.safeTensors("{}", length: 123), "unsupported"),
        ].joined())

    /// A gzip member of nothing.
    private static let emptyGzip = SourceBytes.bytes(
        [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0])

    private static func gzipOfZeros(_ count: Int) -> SourceBytes {
        SourceBytes {
            let checksum = [UInt8](repeating: 0, count: count).withUnsafeBytes { CRC32.checksum(of: $0) }
            return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3] + ArchiveBuilder.deflatedZeros(count)
                + ArchiveBuilder.little(Int(checksum), 4) + ArchiveBuilder.little(count, 4)
        }
    }
}
