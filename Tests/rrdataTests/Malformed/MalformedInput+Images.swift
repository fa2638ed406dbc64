extension MalformedInput {
    private static let gray = SourceBytes.fixture("formats/png/gray-8.png")
    private static let zeros = ArchiveBuilder.zlibOfZeros(72)

    private static func info(_ name: String, _ bytes: SourceBytes, _ exit: Int32, _ code: String) -> Self {
        MalformedInput(name, "info x.png", "x.png", bytes, exit, code)
    }

    private static func imported(
        _ name: String, _ bytes: SourceBytes, _ exit: Int32 = 65, _ code: String = "unreadable-image"
    ) -> Self {
        MalformedInput(name, "import pngs in -o out.h5", "in/a/x.png", bytes, exit, code)
    }

    private static func streamed(
        _ name: String, _ bytes: SourceBytes, _ exit: Int32 = 65, _ code: String = "unreadable-image"
    ) -> Self {
        MalformedInput(name, "stream in --batch-size 1 --format null", "in/a/x.png", bytes, exit, code)
    }

    private static func mask(
        _ name: String, _ bytes: SourceBytes, _ exit: Int32 = 65, _ code: String = "unreadable-image"
    ) -> Self {
        MalformedInput(
            name, "import masks in --for d.h5 -o out.h5", ["in/a.png": bytes, "d.h5": smallDataset], exit,
            code)
    }

    /// PNG files: alone, in folders of images, and as masks.
    static let images: [MalformedInput] = [
        info("PNG of its signature alone", gray.cut(to: 8), 65, "malformed"),
        info("PNG cut inside its signature", gray.cut(to: 5), 65, "malformed"),
        info("PNG cut inside IHDR", gray.cut(to: 20), 65, "malformed"),
        info("PNG with a damaged signature", gray.flipped(at: 5), 65, "malformed"),
        info("PNG with a damaged IHDR", gray.flipped(at: 19), 65, "malformed"),
        info("PNG of no width", ArchiveBuilder.png(width: 0, height: 8), 65, "malformed"),
        info("PNG of no height", ArchiveBuilder.png(width: 8, height: 0), 65, "malformed"),
        info("PNG of 2³¹ columns", ArchiveBuilder.png(width: 1 << 31, height: 1), 65, "unsupported"),
        info("PNG of 2³¹ rows", ArchiveBuilder.png(width: 1, height: 1 << 31), 65, "unsupported"),
        info(
            "PNG that states 10⁶×10⁶", ArchiveBuilder.png(width: 1_000_000, height: 1_000_000), 65,
            "unsupported"),
        info(
            "PNG that states 30,000×30,000 in 100 bytes", ArchiveBuilder.png(width: 30_000, height: 30_000),
            65, "malformed"),
        info("PNG of 3 bits", ArchiveBuilder.png(width: 8, height: 8, bits: 3), 65, "malformed"),
        info("PNG of colour type 5", ArchiveBuilder.png(width: 8, height: 8, color: 5), 65, "malformed"),
        info(
            "PNG of 16-bit palette", ArchiveBuilder.png(width: 8, height: 8, bits: 16, color: 3), 65,
            "malformed"),
        info(
            "PNG of another compression", ArchiveBuilder.png(width: 8, height: 8, method: 1), 65, "malformed"),
        info(
            "JPEG called PNG", .bytes([0xFF, 0xD8, 0xFF, 0xE0] + Array(repeating: 0, count: 60)), 65,
            "malformed"),
        info("empty PNG", .bytes([]), 65, "malformed"),

        imported("PNG cut inside its data", gray.cut(to: -30)),
        imported("PNG without IEND", gray.cut(to: -12)),
        imported("PNG with a damaged byte of data", gray.flipped(at: 50)),
        imported("PNG with a damaged checksum of its data", gray.flipped(at: -14)),
        imported("PNG with an unknown critical chunk", .fixture("formats/png-faults/refused-critical.png")),
        imported("PNG with a wrong Adler-32", .fixture("formats/png-faults/refused-adler.png")),
        imported("PNG with fewer rows than it states", .fixture("formats/png-faults/refused-few.png")),
        imported("PNG with a flood of data after its rows", .fixture("formats/png-faults/refused-flood.png")),
        imported("PNG bomb", .fixture("formats/png/damaged-bomb.png")),
        imported("PNG without data", ArchiveBuilder.png(width: 8, height: 8, data: [])),
        imported("PNG of data that is no zlib", ArchiveBuilder.png(width: 8, height: 8, data: Array(0..<99))),
        imported(
            "PNG with filters that do not exist",
            ArchiveBuilder.png(
                width: 8, height: 8,
                data: [0x78, 1, 1, 9, 0, 0xF6, 0xFF] + Array(repeating: 9, count: 9) + [0, 0, 0, 0])),
        imported(
            "PNG that states 12,000×12,000 in half a megabyte of noise",
            ArchiveBuilder.png(width: 12_000, height: 12_000, data: [0x78, 0x01] + noise(500_000))),
        imported(
            "PNG that states 12,000×12,000 RGB and has 1,000 rows",
            ArchiveBuilder.png(
                width: 12_000, height: 12_000, color: 2,
                data: ArchiveBuilder.zlibOfZeros(1_000_000) + noise(400_000))),
        imported(
            "PNG that states 12,000×12,000 beside a long text",
            ArchiveBuilder.png(
                width: 12_000, height: 12_000,
                chunks: ArchiveBuilder.chunk("tEXt", Array(repeating: 0x61, count: 400_000)))),
        imported("text called PNG", .text("file_name,label\n")),
        imported("empty PNG in a folder", .bytes([])),
        imported(
            "palette PNG without a palette", ArchiveBuilder.png(width: 8, height: 8, color: 3, data: zeros)),
        imported(
            "PNG after a thousand empty chunks of time, cut",
            ArchiveBuilder.png(
                width: 8, height: 8,
                chunks: Array(
                    repeatElement(ArchiveBuilder.chunk("tIME", Array(repeating: 0, count: 7)), count: 1000)
                        .joined())
            ).cut(to: -20)),

        streamed("PNG cut inside its data", gray.cut(to: -30), 65, "damaged-file"),
        streamed("PNG with a damaged byte of data", gray.flipped(at: 50), 65, "damaged-file"),
        streamed("PNG of noise", .bytes(noise(300))),
        streamed("PNG that states too much", ArchiveBuilder.png(width: 30_000, height: 30_000)),
        streamed(
            "PNG that states 8,000×8,000 RGBA in noise",
            ArchiveBuilder.png(width: 8_000, height: 8_000, color: 6, data: [0x78, 0x01] + noise(400_000))),
        streamed("PNG bomb", .fixture("formats/png/damaged-bomb.png")),

        mask("mask that is cut", ArchiveBuilder.png(width: 4, height: 5).cut(to: -20)),
        mask("mask of no PNG", .text("mask")),
        mask("mask of another size", .fixture("formats/masks/pngs/gray-1.png"), 65, "wrong-mask-size"),
        mask("mask that states 30,000×30,000", ArchiveBuilder.png(width: 30_000, height: 30_000)),
        mask(
            "mask of 100 megapixels of noise",
            ArchiveBuilder.png(width: 10_000, height: 10_000, data: [0x78, 0x01] + noise(100_000)), 65,
            "wrong-mask-size"),
        MalformedInput(
            "folder without a mask", "import masks in --for d.h5 -o out.h5",
            ["in/b.txt": .text("no"), "d.h5": smallDataset], 65, "empty"),
        MalformedInput(
            "folder without a PNG", "import pngs in -o out.h5", "in/a/x.txt", .text("no"), 65, "empty"),
        MalformedInput(
            "images of two sizes", "import pngs in -o out.h5",
            ["in/a/x.png": gray, "in/a/y.png": ArchiveBuilder.png(width: 8, height: 8, data: zeros)], 65,
            "inconsistent-images"),
        MalformedInput(
            "file in the place of a folder", "import pngs in -o out.h5", "in", .text("no"), 74, "cannot-read"),
    ]

    /// Bytes without a pattern, the same at each call.
    static func noise(_ count: Int) -> [UInt8] {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        return (0..<count).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state >> 24)
        }
    }
}
