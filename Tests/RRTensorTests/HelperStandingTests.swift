import Testing

@testable import RRTensor

@Suite("Whether helpers are worth calling")
struct HelperStandingTests {
    @Test("one that costs more than it gives is left out for eight times as long")
    func lostCore() {
        let standing = HelperStanding()
        let start = 1_000_000_000
        #expect(standing.allowsHelp(now: start))
        standing.judge(worked: 300_000, waited: 4_000_000, threadCount: 2, now: start)
        #expect(!standing.allowsHelp(now: start))
        #expect(!standing.allowsHelp(now: start + 31_999_999))
        #expect(standing.allowsHelp(now: start + 32_000_000))
        // Each loss counts for itself.
        standing.judge(worked: 300_000, waited: 1_000_000, threadCount: 2, now: 2 * start)
        #expect(!standing.allowsHelp(now: 2 * start + 7_999_999))
        #expect(standing.allowsHelp(now: 2 * start + 8_000_000))
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
