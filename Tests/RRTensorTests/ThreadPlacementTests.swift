import CThreads
import Glibc
import Synchronization
import Testing

@testable import RRTensor

@Suite("Where helpers work")
struct ThreadPlacementTests {
    private static let size = 16

    private static func processors() -> [UInt] {
        var bits = [UInt](repeating: 0, count: size)
        _ = rr_get_processors(pthread_self(), 8 * size, &bits)
        return bits
    }

    private static func set(_ processor: Int) -> [UInt] {
        (0..<size).map { $0 == processor / 64 ? 1 << (processor % 64) : 0 }
    }

    @Test("one that is woken for a job is kept off the processor of the one that waits for it")
    func keptAway() {
        let all = Self.processors()
        let each = (0..<64 * Self.size).filter { all[$0 / 64] >> ($0 % 64) & 1 == 1 }
        let crew = WorkerCrew(helperCount: 1)
        // The test's own thread, which goes on with other tests.
        defer { _ = rr_set_processors(pthread_self(), 8 * Self.size, all) }
        for processor in each.prefix(2) {
            #expect(rr_set_processors(pthread_self(), 8 * Self.size, Self.set(processor)) == 0)
            let others = zip(all, Self.set(processor)).map { $0 & ~$1 }
            // A machine of one processor has no other.
            let expected = each.count > 1 ? others : all
            let seen = Mutex<[UInt]>([])
            // A helper that has not slept yet stays where it is.
            for _ in 0..<500 where seen.withLock({ $0 }) != expected {
                usleep(2000)
                let isThere = Atomic(false)
                let hasRun = crew.run(count: 2) { worker in
                    if worker == 1 {
                        seen.withLock { $0 = Self.processors() }
                        isThere.store(true, ordering: .releasing)
                    } else {
                        while !isThere.load(ordering: .acquiring) { usleep(50) }
                    }
                }
                #expect(hasRun)
            }
            #expect(seen.withLock { $0 } == expected)
        }
    }
}
