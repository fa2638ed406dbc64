import Glibc
import Synchronization
import Testing

@testable import RRTensor

@Suite("Worker threads")
struct WorkersTests {
    @Test(
        "every part is run once, under a worker's number below the count", arguments: [1, 2, 3, 8],
        [0, 1, 7, 500])
    func partsOnce(count: Int, parts: Int) {
        let calls = Mutex((counts: Array(repeating: 0, count: parts), workers: Set<Int>()))
        Workers(count: count).run(parts: parts) { worker, part in
            calls.withLock {
                $0.counts[part] += 1
                $0.workers.insert(worker)
            }
        }
        calls.withLock {
            #expect($0.counts == Array(repeating: 1, count: parts))
            #expect($0.workers.isSubset(of: Set(0..<count)))
        }
    }

    @Test("no two parts run at the same time under one worker's number")
    func exclusiveWorkers() {
        let active = Mutex(Set<Int>())
        let overlaps = Atomic(0)
        Workers(count: 4).run(parts: 400) { worker, _ in
            if !active.withLock({ $0.insert(worker).inserted }) { overlaps.add(1, ordering: .relaxed) }
            active.withLock { _ = $0.remove(worker) }
        }
        #expect(overlaps.load(ordering: .relaxed) == 0)
    }

    @Test("a job within a job finds threads of its own")
    func nested() {
        let sum = Atomic(0)
        Workers(count: 2).run(parts: 8) { _, outer in
            Workers(count: 2).run(parts: 8) { _, inner in
                sum.add(8 * outer + inner, ordering: .relaxed)
            }
        }
        #expect(sum.load(ordering: .relaxed) == (0..<64).reduce(0, +))
    }

    @Test(
        "parts at few places are done once, and no place has two at a time", arguments: [1, 2, 5, 16],
        [1, 3, 40])
    func places(count: Int, placeCount: Int) {
        let parts = Mutex(Array(repeating: 0, count: 100))
        let busy = Mutex(Set<Int>())
        Workers(count: count).run(parts: 100, places: placeCount, pieces: 4) { part, place in
            #expect(place.number < min(count, placeCount))
            #expect(busy.withLock { $0.insert(place.number).inserted })
            parts.withLock { $0[part] += 1 }
            busy.withLock { _ = $0.remove(place.number) }
        }
        #expect(parts.withLock { $0 } == Array(repeating: 1, count: 100))
    }

    @Test(
        "a job that begins while helpers are left out has them when that is over", arguments: [true, false])
    func helpersReturn(hasPlaces: Bool) {
        let counts = Mutex(Array(repeating: 0, count: 40))
        @Sendable func run(_ part: Int) {
            counts.withLock { $0[part] += 1 }
            usleep(500)
        }
        // For eight milliseconds.
        WorkerCrew.shared.standing.judge(worked: 0, waited: 1_000_000, threadCount: 2)
        if hasPlaces {
            Workers(count: 2).run(parts: 40, places: 2, pieces: 1) { part, _ in run(part) }
        } else {
            Workers(count: 2).run(parts: 40) { _, part in run(part) }
        }
        #expect(WorkerCrew.shared.standing.allowsHelp())
        #expect(counts.withLock { $0 } == Array(repeating: 1, count: 40))
    }

    @Test("threads without a part do pieces of the others' parts, each once")
    func sharedPieces() {
        let workers = Mutex(Set<Int>())
        let pieces = Atomic(0)
        let overlaps = Atomic(0)
        let active = Mutex(Set<Int>())
        Workers(count: 4).run(parts: 2, places: 2, pieces: 7) { part, place in
            for round in 1...300 {
                place.share(round % 7) { worker, piece in
                    if !active.withLock({ $0.insert(worker).inserted }) {
                        overlaps.add(1, ordering: .relaxed)
                    }
                    if round % 30 == 0 { usleep(300) }
                    pieces.add(piece + 1, ordering: .relaxed)
                    workers.withLock { _ = $0.insert(worker) }
                    active.withLock { _ = $0.remove(worker) }
                }
            }
        }
        let expected = (1...300).reduce(0) { sum, round in sum + (round % 7) * (round % 7 + 1) / 2 }
        #expect(pieces.load(ordering: .relaxed) == 2 * expected)
        #expect(overlaps.load(ordering: .relaxed) == 0)
        #expect(workers.withLock { $0 }.isSubset(of: [0, 1, 2, 3]))
        #expect(workers.withLock(\.count) > 2, "the others have helped")
    }

    @Test("as many pieces are asked for as there is somebody to do them")
    func pieceCount() {
        Workers(count: 1).run(parts: 3, places: 8, pieces: 9) { _, place in
            #expect(place.pieceCount(upTo: 100) == 1)
        }
    }

    @Test("one job after another is done when it returns, whether helpers look out, sleep or come too late")
    func jobsInSuccession() {
        for job in 0..<3000 {
            let isOver = Atomic(false)
            let parts = Atomic(0)
            let late = Atomic(0)
            Workers(count: 2).run(parts: 3) { _, _ in
                if isOver.load(ordering: .acquiring) { late.add(1, ordering: .relaxed) }
                parts.add(1, ordering: .relaxed)
            }
            let done = parts.load(ordering: .relaxed)
            isOver.store(true, ordering: .releasing)
            // Helpers fall asleep after some tens of microseconds.
            if job.isMultiple(of: 3) { usleep(UInt32(job % 10) * 30) }
            #expect(done == 3 && parts.load(ordering: .relaxed) == 3 && late.load(ordering: .relaxed) == 0)
        }
    }

    @Test("a count below one is one thread", arguments: [0, -3])
    func countBelowOne(count: Int) {
        #expect(Workers(count: count).count == 1)
    }

    /// The error of a part that fails.
    private struct PartError: Error, Equatable {
        let part: Int
    }

    @Test(
        "the error is that of the lowest part that fails, whatever the number of threads",
        arguments: [1, 2, 3, 8])
    func lowestError(count: Int) {
        let failing: Set = [41, 43, 44, 90]
        let error = #expect(throws: PartError.self) {
            try Workers(count: count).run(parts: 10..<100, makeState: {}) { _, part in
                if failing.contains(part) { throw PartError(part: part) }
            }
        }
        #expect(error == PartError(part: 41))
    }

    @Test("a state that cannot be made is an error, and no part is run with it")
    func stateError() {
        let runs = Atomic(0)
        let error = #expect(throws: PartError.self) {
            try Workers(count: 1).run(
                parts: 5..<20, makeState: { () throws -> Int in throw PartError(part: -1) }
            ) {
                _, _ in runs.add(1, ordering: .relaxed)
            }
        }
        #expect(error == PartError(part: -1))
        #expect(runs.load(ordering: .relaxed) == 0)
    }

    @Test("each worker has one state, which serves all its parts", arguments: [1, 3])
    func states(count: Int) throws {
        /// What one worker alone counts.
        final class Tally {
            var parts: [Int] = []
            let all: Collected
            init(all: Collected) { self.all = all }
            deinit { all.parts.withLock { $0.append(parts) } }
        }
        /// What each worker counted.
        final class Collected: Sendable {
            let parts = Mutex<[[Int]]>([])
        }
        let all = Collected()
        try Workers(count: count).run(parts: 3..<60, makeState: { Tally(all: all) }) { tally, part in
            tally.parts.append(part)
        }
        all.parts.withLock { tallies in
            #expect(tallies.count == count)
            #expect(tallies.allSatisfy { $0 == $0.sorted() })
            #expect(tallies.flatMap(\.self).sorted() == Array(3..<60))
        }
    }
}
