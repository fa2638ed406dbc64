import Foundation
import Synchronization
import Testing

@testable import RRDatasets

@Suite("The cache of blocks")
struct BlockCacheTests {
    private struct Fault: Error {}

    @Test("threads find in each block what was loaded, with room for all and for some", arguments: [40, 7])
    func content(capacity: Int) throws {
        let cache = try #require(BlockCache(blockSize: 1000, blockCount: 40, capacity: capacity))
        let loads = Atomic<Int>(0)
        let faults = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            var generator = SystemRandomNumberGenerator()
            for _ in 0..<3000 {
                let block = Int.random(in: 0..<40, using: &generator)
                let held = try? cache.hold(block) { bytes in
                    loads.add(1, ordering: .relaxed)
                    bytes.initializeMemory(as: UInt8.self, repeating: UInt8(block + 1))
                }
                guard let held else { continue }
                let isRight = held.bytes.count == 1000 && held.bytes.allSatisfy { $0 == UInt8(block + 1) }
                if !isRight { faults.add(1, ordering: .relaxed) }
                cache.release(held)
            }
        }
        #expect(faults.load(ordering: .relaxed) == 0)
        let count = loads.load(ordering: .relaxed)
        #expect(capacity == 40 ? count == 40 : count > 1000)
    }

    @Test("a block whose loading failed is loaded when it is next asked for", arguments: [1, 3])
    func failure(capacity: Int) throws {
        let cache = try #require(BlockCache(blockSize: 8, blockCount: 3, capacity: capacity))
        for _ in 0..<10 {
            #expect(throws: Fault.self) {
                _ = try cache.hold(1) { _ in throw Fault() }
            }
        }
        let held = try cache.hold(1) { $0.initializeMemory(as: UInt8.self, repeating: 9) }
        #expect(Array(held.bytes) == Array(repeating: 9, count: 8))
        cache.release(held)
    }
}
