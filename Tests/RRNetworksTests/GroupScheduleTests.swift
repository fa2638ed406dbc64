import Glibc
import RRNetworks
import RRTensor
import Synchronization
import Testing

@Suite("Groups, lanes and workers")
struct GroupScheduleTests {
    @Test(
        "every sample is in one group and every group in one lane",
        arguments: [1, 7, 8, 9, 32, 61, 256, 1000], [0, 1, 6, 40, 1000])
    func coverage(sampleCount: Int, penalizedCount: Int) {
        let schedule = GroupSchedule(
            sampleCount: sampleCount, penalizedCount: min(penalizedCount, sampleCount), limits: Self.limits)
        let groups = schedule.lanes.flatMap { $0 }.sorted { $0.lowerBound < $1.lowerBound }
        #expect(groups == schedule.groups)
        #expect(groups.flatMap { Array($0) } == Array(0..<sampleCount))
        #expect(groups.allSatisfy { !$0.isEmpty && $0.count <= schedule.groupCapacity })
        #expect(schedule.groupCapacity <= 16)
        #expect(schedule.lanes.count <= schedule.laneCapacity)
    }

    @Test(
        "on large maps every sample is in one group of at most two, and no lane is left without work",
        arguments: [1, 2, 7, 8, 9, 16, 17, 64], [0, 1, 6, 64])
    func largeMaps(sampleCount: Int, penalizedCount: Int) {
        let schedule = GroupSchedule(
            sampleCount: sampleCount, penalizedCount: min(penalizedCount, sampleCount), limits: .largeMaps)
        let groups = schedule.lanes.flatMap { $0 }.sorted { $0.lowerBound < $1.lowerBound }
        #expect(groups == schedule.groups)
        #expect(groups.flatMap { Array($0) } == Array(0..<sampleCount))
        #expect(groups.allSatisfy { (1...schedule.groupCapacity).contains($0.count) })
        #expect(schedule.groupCapacity == (sampleCount < 16 ? 1 : 2))
        #expect(schedule.lanes.count == min(sampleCount, 8))
        #expect(schedule.lanes.count <= schedule.laneCapacity)
    }

    @Test("a batch of sixteen large images is eight lanes of two")
    func sixteenImages() throws {
        let input = try ImageShape(channels: 3, height: 224, width: 224)
        let network = try Network<Float>(BuiltInModel.convnet.description(input: input, classCount: 10))
        let schedule = GroupSchedule(sampleCount: 16, limits: network.groupLimits)
        #expect(schedule.lanes.map { $0.map(\.count) } == Array(repeating: [2], count: 8))
    }

    static let limits = GroupLimits(largestGroup: 16, evenLaneCount: 8)

    @Test("few penalised samples have a group of their own, no larger than they need")
    func penalizedSamples() {
        let schedule = GroupSchedule(sampleCount: 64, penalizedCount: 6, limits: Self.limits)
        #expect(schedule.groups == [0..<8, 8..<24, 24..<40, 40..<56, 56..<64])
        #expect(schedule.lanes.map { $0.count } == [2, 1, 1, 1], "the smallest is added to a lane")
        let whole = GroupSchedule(sampleCount: 64, penalizedCount: 64, limits: Self.limits)
        #expect(whole == GroupSchedule(sampleCount: 64, limits: Self.limits))
    }

    @Test("a network of many parameters shares a batch out to fewer lanes")
    func lanes() throws {
        func schedule(_ model: BuiltInModel) throws -> GroupSchedule {
            let input = try ImageShape(channels: 1, height: 28, width: 28)
            let network = try Network<Float>(model.description(input: input, classCount: 10))
            return GroupSchedule(sampleCount: 256, limits: network.groupLimits)
        }
        #expect(try schedule(.mlp).groups.map(\.count) == [64, 64, 64, 64])
        #expect(try schedule(.lenet).lanes.count == 8)
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
