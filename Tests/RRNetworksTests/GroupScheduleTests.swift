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
}
