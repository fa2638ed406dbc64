import Glibc
import RRNetworks
import Synchronization
import Testing

@Suite("Groups, lanes and workers")
struct GroupScheduleTests {
    @Test(
        "every sample is in one group and every group in one lane",
        arguments: [1, 7, 8, 9, 32, 61, 256, 1000])
    func coverage(sampleCount: Int) {
        let schedule = GroupSchedule(sampleCount: sampleCount, largestGroup: 16)
        let groups = (0..<schedule.laneCount).flatMap { Array(schedule.groups(ofLane: $0)) }
        #expect(groups.sorted() == Array(0..<schedule.groupCount))
        let samples = groups.sorted().flatMap { Array(schedule.samples(ofGroup: $0)) }
        #expect(samples == Array(0..<sampleCount))
        #expect((0..<schedule.groupCount).allSatisfy { !schedule.samples(ofGroup: $0).isEmpty })
        #expect(schedule.groupSize <= 16)
    }

    @Test("workers run every part once and never two parts under one number", arguments: [1, 2, 5])
    func workers(count: Int) {
        let runs = Mutex(Array(repeating: 0, count: 100))
        let busy = Mutex(Set<Int>())
        Workers(count: count).run(parts: 100) { worker, part in
            #expect(worker < count)
            #expect(busy.withLock { $0.insert(worker).inserted })
            runs.withLock { $0[part] += 1 }
            busy.withLock { _ = $0.remove(worker) }
        }
        #expect(runs.withLock { $0 } == Array(repeating: 1, count: 100))
    }

    @Test("jobs follow each other at any pace, and several callers at once each get theirs done")
    func jobs() async {
        await withTaskGroup(of: Int.self) { callers in
            for caller in 0..<4 {
                callers.addTask {
                    let sum = Mutex(0)
                    for job in 0..<500 {
                        // Some jobs find helpers that watch for work, some find them asleep.
                        if job % 100 == 99 { usleep(3_000) }
                        Workers(count: 2).run(parts: 3) { _, part in sum.withLock { $0 += part + caller } }
                    }
                    return sum.withLock { $0 } - 500 * 3 * (1 + caller)
                }
            }
            for await difference in callers { #expect(difference == 0) }
        }
    }
}
