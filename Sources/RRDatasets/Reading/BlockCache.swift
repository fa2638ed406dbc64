internal import Glibc
internal import RRTensor
internal import Synchronization

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

    /// A block that is in memory to stay; nil for one that is not there yet or may go.
    func keptBlock(_ block: Int) -> UnsafeRawBufferPointer? {
        guard holdsAll else { return nil }
        let place = places[block].load(ordering: .acquiring)
        return place >= 0 ? UnsafeRawBufferPointer(bytes(at: place)) : nil
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
