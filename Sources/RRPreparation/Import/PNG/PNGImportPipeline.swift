internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// Reads and decodes files on several threads, block by block, while the blocks before are being written.
///
/// A block is a piece of memory for many images. There are as many as it takes for decoding and writing to overlap, and
/// they are used again and again, so memory does not grow with the number of images.
///
/// Unchecked: a worker writes the part of a block, and the sizes of the files, that it took under `monitor`, and the caller
/// reads a block that is complete under `monitor`, and sizes after the workers have ended.
final class PNGImportPipeline: @unchecked Sendable {
    /// A block of images, one after another, whose files have been read.
    struct Block {
        /// The positions of the files.
        let files: Range<Int>
        /// The images `(C, H, W)` one after another; zero where there is a fault.
        let images: UnsafeRawBufferPointer
        /// The CRC-32 of each image.
        let checksums: UnsafeBufferPointer<UInt32>
        /// The files that have no image, in order.
        let faults: [(position: Int, fault: PNGFileReader.Fault)]
    }

    private struct Progress {
        /// The first file that no one has taken.
        var next = 0
        /// The number of blocks that have been written.
        var writtenCount = 0
        /// For each piece of memory, the files of its block that are still to be read.
        var openCounts: [Int]
        var faults: [(position: Int, fault: PNGFileReader.Fault)] = []
        var tally = PNGTally()
        var turns: [Int: PNGTurn] = [:]
        var isStopped = false
    }

    private static let memoryCount = 3

    private let folder: String
    private let paths: TextList
    private let conversion: PNGConversion
    private let threadCount: Int
    private let blockCount: Int
    private let shareCount: Int
    private let imageSize: Int
    private let images: UnsafeMutableRawBufferPointer
    private let checksums: UnsafeMutableBufferPointer<UInt32>
    /// The size of each file's image before it was resized; empty where images are not.
    private let sizes: UnsafeMutableBufferPointer<ImageSize>
    private let monitor = Monitor()
    private var progress: Progress

    /// Allocates blocks of about 8 MB, and of enough images to keep every thread busy.
    init(folder: String, paths: TextList, conversion: PNGConversion, threadCount: Int) {
        self.folder = folder
        self.paths = paths
        self.conversion = conversion
        self.threadCount = max(1, min(threadCount, paths.count))
        imageSize = conversion.target.byteCount
        blockCount = min(max(min(4096, (8 << 20) / imageSize), self.threadCount), paths.count)
        // Small shares let the threads end a block together; large ones keep them from the lock.
        shareCount = max(1, min(64, blockCount / (4 * self.threadCount)))
        images = .allocate(byteCount: Self.memoryCount * blockCount * imageSize, alignment: 64)
        checksums = .allocate(capacity: Self.memoryCount * blockCount)
        sizes = .allocate(capacity: conversion.reading.resizing == nil ? 0 : paths.count)
        sizes.initialize(repeating: ImageSize(height: 0, width: 0))
        progress = Progress(openCounts: Array(repeating: 0, count: Self.memoryCount))
    }

    deinit {
        images.deallocate()
        checksums.deallocate()
        sizes.deallocate()
    }

    /// The size of each image before it was resized, once all are read; nil where images are not resized.
    var sourceSizes: [ImageSize]? { sizes.isEmpty ? nil : Array(sizes) }

    /// Reads all files.
    ///
    /// - Parameter body: called with each block in order, on the caller's thread.
    /// - Returns: what was met in the files, and how images were turned, by the positions of their files.
    /// - Throws: what `body` throws, after the threads have come to rest.
    func run(_ body: (Block) throws -> Void) throws -> (tally: PNGTally, turns: [Int: PNGTurn]) {
        for number in 0..<Self.memoryCount { open(block: number) }
        let readers = (0..<threadCount).map { _ in PNGFileReader(folder: folder, conversion.reading.files) }
        let threads = BackgroundThreads(states: readers) { [self] in work($0) }
        guard threads.count > 0 else { throw FormatError.noThread(for: folder) }
        do {
            // The threads come to rest before anyone looks at what they have left.
            defer {
                monitor.withLock {
                    progress.isStopped = true
                    monitor.wakeAll()
                }
                threads.wait()
            }
            for number in 0..<(paths.count + blockCount - 1) / blockCount {
                let faults = awaitBlock(number)
                let files = files(of: number)
                let slot = number % Self.memoryCount * blockCount
                let pixels = images[slot * imageSize..<(slot + files.count) * imageSize]
                try body(
                    Block(
                        files: files, images: UnsafeRawBufferPointer(rebasing: pixels),
                        checksums: UnsafeBufferPointer(rebasing: checksums[slot..<slot + files.count]),
                        faults: faults))
                monitor.withLock {
                    progress.writtenCount += 1
                    open(block: number + Self.memoryCount)
                    monitor.wakeAll()
                }
            }
        }
        return (progress.tally, progress.turns)
    }

    private func files(of block: Int) -> Range<Int> {
        min(block * blockCount, paths.count)..<min((block + 1) * blockCount, paths.count)
    }

    /// Notes that all files of a block are still to be read.
    private func open(block: Int) {
        progress.openCounts[block % Self.memoryCount] = files(of: block).count
    }

    /// Waits until a block is complete, and takes its faults.
    private func awaitBlock(_ number: Int) -> [(position: Int, fault: PNGFileReader.Fault)] {
        monitor.withLock {
            while progress.openCounts[number % Self.memoryCount] > 0 { monitor.wait() }
            let files = files(of: number)
            let faults = progress.faults.filter { files.contains($0.position) }
            progress.faults.removeAll { files.contains($0.position) }
            return faults.sorted { $0.position < $1.position }
        }
    }

    /// Takes shares of files and reads them until none is left.
    private func work(_ reader: PNGFileReader) {
        var turns: [Int: PNGTurn] = [:]
        while let share = takeShare() {
            var faults: [(position: Int, fault: PNGFileReader.Fault)] = []
            for position in share {
                let block = position / blockCount
                let slot = block % Self.memoryCount * blockCount + position - block * blockCount
                let image = UnsafeMutableRawBufferPointer(
                    rebasing: images[slot * imageSize..<(slot + 1) * imageSize])
                if let fault = reader.read(position, in: paths, as: conversion, into: image) {
                    faults.append((position, fault))
                    checksums[slot] = 0
                } else {
                    checksums[slot] = CRC32.checksum(of: UnsafeRawBufferPointer(image))
                    if !sizes.isEmpty { sizes[position] = reader.sourceSize }
                    if let turn = reader.turn { turns[position] = turn }
                }
            }
            monitor.withLock {
                progress.faults += faults
                let slot = share.lowerBound / blockCount % Self.memoryCount
                progress.openCounts[slot] -= share.count
                if progress.openCounts[slot] == 0 { monitor.wakeAll() }
            }
        }
        monitor.withLock {
            progress.tally.add(reader.tally)
            progress.turns.merge(turns) { first, _ in first }
        }
    }

    /// Takes the next files of one block, once there is memory for it; nil where no file is left.
    private func takeShare() -> Range<Int>? {
        monitor.withLock {
            while true {
                guard !progress.isStopped, progress.next < paths.count else { return nil }
                let block = progress.next / blockCount
                if block < progress.writtenCount + Self.memoryCount {
                    let end = min(progress.next + shareCount, files(of: block).upperBound)
                    defer { progress.next = end }
                    return progress.next..<end
                }
                monitor.wait()
            }
        }
    }
}
