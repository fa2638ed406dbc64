// What a header states, held against the data behind it before anybody makes room for the image.
extension PNGStorage {
    /// Decoded images of as many bytes are believed without a look at their data.
    private static let largestTrust = 64 << 20
    /// Decoded images of as many times their file are believed too; photographs are two to four times as large.
    private static let largestRatio = 16

    /// Whether the header states so much more than the file has that its data is to be looked at first.
    package func isDoubtful(fileSize: Int) -> Bool {
        header.byteCount > Self.largestTrust && header.byteCount / Self.largestRatio > fileSize
    }
}

extension PNGDecoder {
    /// Checks that the rows of a doubtful image are all there.
    ///
    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - storage: what `storage(of:path:)` says of it.
    /// - Throws: `FormatError` with the code `malformed`.
    package static func checkData(
        _ bytes: UnsafeRawBufferPointer, _ storage: PNGStorage, path: String
    ) throws(FormatError) {
        guard storage.isDoubtful(fileSize: bytes.count), let size = PNGMending.dataSize(bytes),
            let inflater = Inflater()
        else { return }
        var data: [UInt8] = []
        var offset = 33
        while let chunk = PNGChunk(bytes, at: offset) {
            if chunk.type == PNGChunk.imageData { data += bytes[chunk.data] }
            offset = chunk.end
        }
        let outcome = data.withUnsafeBytes { inflater.bytes(of: $0, .zlib, size: size).outcome }
        switch outcome {
        case .targetFull: return
        case .done(_, let written) where written == size: return
        case .done, .damaged:
            throw FormatError(
                .malformed, path: path,
                "the \(data.count) bytes of image data are damaged, or do not inflate to the \(size) bytes that \(storage.header.width)×\(storage.header.height) (width × height) take"
            )
        }
    }
}
