internal import RRFormats
internal import RRTensor
internal import Synchronization

/// Images in any layout that libhdf5 reads, fetched by blocks of whole chunks, of which the latest are kept.
///
/// Without the blocks each image of a shuffled order would inflate its chunk anew.
///
/// It is Sendable because all that changes is touched under `lock` only, the open file with it.
final class BlockImageSource: ImageSource, @unchecked Sendable {
    private struct Block {
        let bytes: [UInt8]
        var lastUse: Int
    }

    /// The bytes of blocks that are kept.
    private static let capacity = 64 << 20

    private let images: HDF5Dataset
    private let elementType: ImageElementType
    private let rowSize: Int
    private let rowsPerBlock: Int

    private let array: HDF5Array
    private let file: RandomAccessFile

    private let lock = Mutex(())
    private var blocks: [Int: Block] = [:]
    private var uses = 0

    /// Opens the file anew.
    init(path: String, elementType: ImageElementType, rowSize: Int) throws(FormatError) {
        file = try RandomAccessFile(path: path)
        images = try HDF5File(reading: path).dataset("/images")
        array = try HDF5Array(HDF5File(reading: path).dataset("/images"))
        self.elementType = elementType
        self.rowSize = rowSize
        if case .chunked(let extents, _) = images.layout, let rows = extents.first {
            rowsPerBlock = max(1, min(rows, images.shape[0]))
        } else {
            rowsPerBlock = 1
        }
    }

    var block: ImageBlock { ImageBlock(rows: rowsPerBlock, isWorthKeeping: true) }

    func makeReader() -> any ImageRowReader { HDF5RowReader(array) }

    func checkUnchanged() throws(FormatError) { try file.checkUnchanged() }

    func read(rows: Range<Int>, into bytes: UnsafeMutableRawBufferPointer) throws {
        try lock.withLock { _ in
            for row in rows {
                let block = try block(row / rowsPerBlock)
                let start = row % rowsPerBlock * rowSize
                let target = UnsafeMutableRawBufferPointer(
                    rebasing: bytes[(row - rows.lowerBound) * rowSize..<(row - rows.lowerBound + 1) * rowSize]
                )
                block.withUnsafeBytes {
                    target.copyMemory(from: .init(rebasing: $0[start..<start + rowSize]))
                }
            }
        }
    }

    private func block(_ number: Int) throws(FormatError) -> [UInt8] {
        uses += 1
        if let index = blocks.index(forKey: number) {
            blocks.values[index].lastUse = uses
            return blocks.values[index].bytes
        }
        let first = number * rowsPerBlock
        let rows = first..<min(first + rowsPerBlock, images.shape[0])
        var bytes = [UInt8](repeating: 0, count: rows.count * rowSize)
        let result: Result<Void, FormatError> = bytes.withUnsafeMutableBytes { bytes in
            Result { () throws(FormatError) in
                switch elementType {
                case .uint8:
                    try images.read(
                        rows: rows, as: UInt8.self, into: bytes.assumingMemoryBound(to: UInt8.self))
                case .uint16:
                    try images.read(
                        rows: rows, as: UInt16.self, into: bytes.assumingMemoryBound(to: UInt16.self))
                case .float32:
                    try images.read(
                        rows: rows, as: Float.self, into: bytes.assumingMemoryBound(to: Float.self))
                }
            }
        }
        try result.get()
        let kept = max(1, Self.capacity / (rowSize * rowsPerBlock))
        while blocks.count >= kept, let oldest = blocks.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            blocks[oldest.key] = nil
        }
        blocks[number] = Block(bytes: bytes, lastUse: uses)
        return bytes
    }
}

extension HDF5RowReader: ImageRowReader {}
