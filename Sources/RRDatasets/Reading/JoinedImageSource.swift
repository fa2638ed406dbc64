internal import RRFormats

/// The images of several sources, one after another.
struct JoinedImageSource: ImageSource {
    private let parts: [(source: any ImageSource, first: Int, end: Int)]
    private let rowSize: Int

    init(_ sources: [(any ImageSource, count: Int)], rowSize: Int) {
        var parts: [(source: any ImageSource, first: Int, end: Int)] = []
        for (source, count) in sources {
            let first = parts.last?.end ?? 0
            parts.append((source, first, first + count))
        }
        self.parts = parts
        self.rowSize = rowSize
    }

    var block: ImageBlock {
        ImageBlock(
            rows: parts.map(\.source.block.rows).max() ?? 1,
            isWorthKeeping: parts.contains { $0.source.block.isWorthKeeping })
    }

    func read(rows: Range<Int>, into bytes: UnsafeMutableRawBufferPointer) throws {
        for part in parts {
            let own = rows.clamped(to: part.first..<part.end)
            guard !own.isEmpty else { continue }
            try part.source.read(
                rows: own.lowerBound - part.first..<own.upperBound - part.first,
                into: Self.bytes(of: own, among: rows, in: bytes, rowSize: rowSize))
        }
    }

    func makeReader() throws -> any ImageRowReader {
        let readers = try parts.map { ($0.first..<$0.end, try $0.source.makeReader()) }
        return Reader(parts: readers, rowSize: rowSize)
    }

    func checkUnchanged() throws(FormatError) {
        for part in parts { try part.source.checkUnchanged() }
    }

    private static func bytes(
        of own: Range<Int>, among rows: Range<Int>, in bytes: UnsafeMutableRawBufferPointer, rowSize: Int
    ) -> UnsafeMutableRawBufferPointer {
        let (start, end) = (own.lowerBound - rows.lowerBound, own.upperBound - rows.lowerBound)
        return UnsafeMutableRawBufferPointer(rebasing: bytes[start * rowSize..<end * rowSize])
    }

    private struct Reader: ImageRowReader {
        let parts: [(rows: Range<Int>, reader: any ImageRowReader)]
        let rowSize: Int

        func read(rows: Range<Int>, into bytes: UnsafeMutableRawBufferPointer) throws(FormatError) {
            for part in parts {
                let own = rows.clamped(to: part.rows)
                guard !own.isEmpty else { continue }
                try part.reader.read(
                    rows: own.lowerBound - part.rows.lowerBound..<own.upperBound - part.rows.lowerBound,
                    into: JoinedImageSource.bytes(of: own, among: rows, in: bytes, rowSize: rowSize))
            }
        }
    }
}
