@testable import RRFormats

extension FuzzedReader {
    /// The largest image that is decoded here, in bytes: larger ones are honest, and slow.
    private static let largestImage = 4 << 20

    static let images: [FuzzedReader] = [
        FuzzedReader(name: "png") { bytes, path in
            try bytes.withUnsafeBytes { bytes in
                _ = PNGOrientation(of: bytes)
                _ = PNGPalette(of: bytes)
                let storage = try PNGDecoder.storage(of: bytes, path: path)
                guard storage.header.byteCount <= largestImage else { return }
                try compareDecoders(bytes, storage, path)
            }
            _ = try PNGDecoder.decodeStored(bytes, path: path)
        },
        // As it stands, and completed where it is cut short.
        FuzzedReader(name: "jpeg") { bytes, path in
            try bytes.withUnsafeBytes { bytes in
                let storage = try JPEGDecoder.storage(of: bytes, path: path)
                guard storage.header.byteCount <= largestImage else { return }
                var samples = [UInt8](repeating: 0, count: storage.header.byteCount)
                try samples.withUnsafeMutableBytes { samples in
                    for (completes, arrangement) in [(true, PNGArrangement.planar), (false, .interleaved)] {
                        _ = try JPEGDecoder.decode(
                            bytes, path: path, completes: completes, arrangement: arrangement, into: samples)
                    }
                }
            }
        },
    ]

    /// Decodes an image by both decoders: what the fast one takes, libpng decodes to the same.
    private static func compareDecoders(
        _ bytes: UnsafeRawBufferPointer, _ storage: PNGStorage, _ path: String
    ) throws {
        var (ours, reference) = (
            [UInt8](repeating: 0, count: storage.header.byteCount),
            [UInt8](repeating: 0, count: storage.header.byteCount)
        )
        let isDecoded = ours.withUnsafeMutableBytes {
            PNGFastDecoder.decode(
                bytes, storage: storage, arrangement: .interleaved, workspace: PNGWorkspace(), into: $0)
        }
        do {
            try reference.withUnsafeMutableBytes {
                _ = try PNGDecoder.decodeWithLibPNG(bytes, path: path, into: $0)
            }
        } catch {
            guard isDecoded else { throw error }
            throw FuzzFinding("the fast decoder takes what libpng refuses: \(error)")
        }
        guard !isDecoded || ours == reference else {
            throw FuzzFinding("the fast decoder and libpng decode other pixels")
        }
        var planar = [UInt8](repeating: 0, count: storage.header.byteCount)
        try planar.withUnsafeMutableBytes {
            _ = try PNGDecoder.decode(
                bytes, storage: storage, path: path, arrangement: .planar, workspace: PNGWorkspace(), into: $0
            )
        }
    }
}
