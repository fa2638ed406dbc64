internal import CStoredElements
internal import Glibc
internal import RRFormats
internal import RRTensor
internal import Synchronization

/// Reads images of a dataset on one thread, with memory of its own that is used again and again.
package final class ImageReader {
    private let source: any DatasetSource
    private let verified: SampleFlags
    /// The flags and the blocks themselves. To count references to what all threads share would cost more than to read a
    /// small image.
    private let flags: SampleFlags.Places
    private let kept: BlockCache.Kept?
    private let elementType: ImageElementType
    private let sampleCount: Int
    /// The bytes of an image.
    private let size: Int
    private let rowsPerBlock: Int
    private let cache: ImageCache?
    private let reader: any ImageRowReader
    private let stored: UnsafeMutableRawBufferPointer

    /// - Parameter cache: shared by the readers of a stream; nil for none.
    /// - Throws: `FormatError` where the file is not there any more or is damaged.
    package init(_ dataset: Dataset, cache: ImageCache?) throws {
        (source, verified) = (dataset.source, dataset.verified)
        (elementType, sampleCount, size) = (dataset.elementType, dataset.sampleCount, dataset.imageSize)
        flags = verified.places
        self.cache = cache
        kept = cache?.blocks.kept
        rowsPerBlock = cache?.rowsPerBlock ?? 1
        reader = try source.makeReader()
        stored = .allocate(byteCount: size, alignment: 64)
    }

    deinit { stored.deallocate() }

    /// Where an image goes, and as what.
    package enum Target {
        /// `imageShape.elementCount` elements `(C, H, W)` as they reach a network: uint8 / 255, uint16 / 65,535, float32 as
        /// it is, bit for bit NumPy's.
        case floats(UnsafeMutableBufferPointer<Float>)
        /// The bytes as they are stored, `(C, H, W)`, little-endian.
        case stored(UnsafeMutableRawBufferPointer)

        /// The memory, where the bytes of an image are what it is to hold.
        fileprivate func memory(for elementType: ImageElementType) -> UnsafeMutableRawBufferPointer? {
            switch (self, elementType) {
            case (.stored(let bytes), _): bytes
            case (.floats(let floats), .float32): UnsafeMutableRawBufferPointer(floats)
            case (.floats, _): nil
            }
        }
    }

    /// Reads an image, whose checksum is verified the first time.
    ///
    /// - Parameter target: as large as the image.
    /// - Throws: `DatasetError` with the code `checksumMismatch`, which names the sample; `FormatError` where the file
    ///   is damaged or cannot be read.
    package func readImage(at index: Int, into target: Target) throws {
        var held: BlockCache.Held?
        defer { if let held { cache?.blocks.release(held) } }
        let (number, row) = index.quotientAndRemainder(dividingBy: rowsPerBlock)
        let memory = target.memory(for: elementType)
        precondition(memory.map { $0.count == size } ?? true)
        let block: UnsafeRawBufferPointer
        if let known = kept?[number] {
            block = known
        } else if let cache {
            let rows = index - row..<min(index - row + rowsPerBlock, sampleCount)
            let loaded = try cache.blocks.hold(number) { bytes in
                try reader.read(
                    rows: rows, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<(rows.count * size)]))
            }
            held = loaded
            block = loaded.bytes
        } else {
            let place = memory ?? stored
            try reader.read(rows: index..<index + 1, into: place)
            block = UnsafeRawBufferPointer(place)
        }
        let image = UnsafeRawBufferPointer(rebasing: block[row * size..<(row + 1) * size])
        if !flags.contains(index) {
            try source.verify(image, at: index)
            flags.insert(index)
        }
        switch (target, elementType) {
        case (.floats(let floats), .uint8):
            precondition(image.count == floats.count)
            rr_scale_bytes(image.bindMemory(to: UInt8.self).baseAddress, floats.count, floats.baseAddress)
        case (.floats(let floats), .uint16):
            let integers = image.bindMemory(to: UInt16.self)
            precondition(integers.count == floats.count)
            for position in 0..<floats.count { floats[position] = Float(Int32(integers[position])) / 65535 }
        case (.floats, .float32), (.stored, _):
            // Else it is there.
            if cache != nil { memory?.copyMemory(from: image) }
        }
    }

    /// Asks for an image that is read soon, where it is in memory.
    package func prefetchImage(at index: Int) {
        let (number, row) = index.quotientAndRemainder(dividingBy: rowsPerBlock)
        guard let block = kept?[number] else { return }
        rr_prefetch(block.baseAddress?.advanced(by: row * size), size)
    }

    /// Checks that nobody has written to the file since it was opened; after a read, that what was read is right.
    ///
    /// - Throws: `FormatError` with the code `changed`.
    package func checkUnchanged() throws { try source.checkUnchanged() }
}

/// Readers of a dataset for those who read an image now and then, on whatever thread.
///
/// Unchecked: all that changes is touched under `lock`, and a reader is had by one thread from `take` to `giveBack`.
final class ImageReaderPool: @unchecked Sendable {
    /// The memory that images take which can only be fetched by whole blocks.
    private static let memory = 64 << 20

    private let lock = Mutex(())
    private var spare: [ImageReader] = []
    private var cache: ImageCache?

    /// - Throws: as `ImageReader.init`.
    func take(for dataset: Dataset) throws -> ImageReader {
        try lock.withLock { _ in
            if let reader = spare.popLast() { return reader }
            if cache == nil, dataset.source.block.isIndivisible {
                cache = ImageCache(of: dataset, memory: Self.memory)
            }
            return try ImageReader(dataset, cache: cache)
        }
    }

    func giveBack(_ reader: ImageReader) { lock.withLock { _ in spare.append(reader) } }
}

/// Blocks of equal size that several threads read, kept in memory that is taken once.
///
/// Where there is room for all blocks, one that is there is found without a lock. Else a new block takes the place of
/// one chosen by chance: an epoch's order visits each block once, so the oldest would be no better a choice.
///
/// Unchecked: `memory` of a block is written by the one thread that loads it, while `places` says so, and read after;
/// all else that changes is atomic or touched under `monitor`.
final class BlockCache: @unchecked Sendable {
    private let blockSize: Int
    private let capacity: Int
    private let memory: UnsafeMutableRawPointer
    private let memorySize: Int
    /// Where each block is.
    private let places: UnsafeMutablePointer<Atomic<Int>>
    private let blockCount: Int
    private let monitor = Monitor()

    // Under `monitor`, and where there is no room for all blocks.
    private var blockAt: [Int]
    private var users: [Int]
    private var usedPlaces = 0
    /// Used places whose loading failed.
    private var emptyPlaces: [Int] = []
    private var generator = SplitMix64(seed: 0)

    private static let absent = -1
    private static let loading = -2

    private var holdsAll: Bool { capacity >= blockCount }

    /// Takes the memory, of which the system gives each page when it is first written.
    ///
    /// - Parameter capacity: the blocks that are kept at a time; more than there are threads.
    /// - Returns: nil where the system has not enough memory.
    init?(blockSize: Int, blockCount: Int, capacity: Int) {
        let capacity = min(capacity, blockCount)
        let (size, overflow) = blockSize.multipliedReportingOverflow(by: capacity)
        guard !overflow, size > 0,
            let memory = mmap(
                nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | Int32(MAP_NORESERVE), -1, 0),
            memory != MAP_FAILED
        else { return nil }
        self.blockSize = blockSize
        self.blockCount = blockCount
        self.capacity = capacity
        self.memory = memory
        memorySize = size
        places = .allocate(capacity: blockCount)
        for block in 0..<blockCount { (places + block).initialize(to: Atomic(Self.absent)) }
        blockAt = Array(repeating: 0, count: capacity)
        users = Array(repeating: 0, count: capacity)
    }

    deinit {
        munmap(memory, memorySize)
        places.deinitialize(count: blockCount)
        places.deallocate()
    }

    /// A block that stays where it is until it is released.
    struct Held {
        let bytes: UnsafeRawBufferPointer
        fileprivate let place: Int
    }

    /// Holds a block, which is loaded where it is not in memory; to be released by the same thread, in a `defer`.
    ///
    /// - Parameter load: fills the block; what it throws is thrown, and the block loaded again when next asked for.
    func hold(_ block: Int, load: (UnsafeMutableRawBufferPointer) throws -> Void) throws -> Held {
        let known = places[block].load(ordering: .acquiring)
        if holdsAll, known >= 0 { return Held(bytes: UnsafeRawBufferPointer(bytes(at: known)), place: known) }
        let (place, isMine) = reserve(block)
        if isMine {
            do {
                try load(bytes(at: place))
            } catch {
                monitor.withLock {
                    users[place] -= 1
                    emptyPlaces.append(place)
                    places[block].store(Self.absent, ordering: .releasing)
                    monitor.wakeAll()
                }
                throw error
            }
            monitor.withLock {
                places[block].store(place, ordering: .releasing)
                monitor.wakeAll()
            }
        }
        return Held(bytes: UnsafeRawBufferPointer(bytes(at: place)), place: place)
    }

    /// Lets go of a block, whose place another may take then.
    func release(_ held: Held) {
        guard !holdsAll else { return }
        monitor.withLock {
            users[held.place] -= 1
            if users[held.place] == 0 { monitor.wakeAll() }
        }
    }

    /// The blocks that are in memory to stay, for somebody who holds the cache as long.
    struct Kept {
        fileprivate let places: UnsafeMutablePointer<Atomic<Int>>
        fileprivate let blockCount: Int
        fileprivate let memory: UnsafeRawPointer
        fileprivate let blockSize: Int

        /// A block; nil for one that is not there yet.
        subscript(block: Int) -> UnsafeRawBufferPointer? {
            precondition(block >= 0 && block < blockCount)
            let place = places[block].load(ordering: .acquiring)
            return place >= 0
                ? UnsafeRawBufferPointer(start: memory + place * blockSize, count: blockSize) : nil
        }
    }

    /// Nil where blocks may go.
    var kept: Kept? {
        holdsAll
            ? Kept(places: places, blockCount: blockCount, memory: memory, blockSize: blockSize) : nil
    }

    /// Finds a block or a place for it, which stays while it is in use.
    private func reserve(_ block: Int) -> (place: Int, isMine: Bool) {
        monitor.withLock {
            while true {
                let known = places[block].load(ordering: .relaxed)
                if known >= 0 {
                    users[known] += 1
                    return (known, false)
                }
                if known == Self.absent, let place = freePlace() {
                    blockAt[place] = block
                    users[place] += 1
                    places[block].store(Self.loading, ordering: .relaxed)
                    return (place, true)
                }
                monitor.wait()
            }
        }
    }

    private func freePlace() -> Int? {
        if let place = emptyPlaces.popLast() { return place }
        if usedPlaces < capacity {
            usedPlaces += 1
            return usedPlaces - 1
        }
        let start = Int(generator.next() % UInt64(capacity))
        for step in 0..<capacity {
            let place = (start + step) % capacity
            guard users[place] == 0 else { continue }
            places[blockAt[place]].store(Self.absent, ordering: .relaxed)
            return place
        }
        return nil
    }

    private func bytes(at place: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: memory + place * blockSize, count: blockSize)
    }
}
