import Testing

@testable import RRTensor

@Suite("Whether helpers are worth calling")
struct HelperStandingTests {
    /// The jobs that helpers are left out of from here on.
    private func absence(_ standing: HelperStanding) -> Int {
        var jobs = 0
        while !standing.allowsHelp() { jobs += 1 }
        return jobs
    }

    @Test("one that costs more than it gives is left out of some jobs, of more each time")
    func lostCore() {
        let standing = HelperStanding()
        #expect(standing.allowsHelp())
        for expected in [4, 8, 16, 32, 64, 128, 256, 256] {
            standing.judge(worked: 300_000, waited: 4_000_000, threadCount: 2)
            #expect(absence(standing) == expected)
        }
        // What was is forgotten by and by.
        for _ in 0..<4 { standing.judge(worked: 300_000, waited: 20_000, threadCount: 2) }
        standing.judge(worked: 300_000, waited: 4_000_000, threadCount: 2)
        #expect(absence(standing) == 32)
    }

    @Test(
        "one that is still at its part is waited for",
        arguments: [
            // A small job's end; as long as the caller has worked itself; a share of a long job; one of seven helpers.
            (10_000, 400_000, 2), (4_000_000, 4_000_000, 2), (100_000_000, 5_000_000, 2),
            (1_000_000, 6_000_000, 8),
        ])
    func longParts(worked: Int, waited: Int, threadCount: Int) {
        let standing = HelperStanding()
        standing.judge(worked: worked, waited: waited, threadCount: threadCount)
        #expect(standing.allowsHelp())
    }
}
