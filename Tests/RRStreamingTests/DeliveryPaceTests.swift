import Testing

@testable import RRStreaming

@Suite("How long a consumer leaves the threads alone")
struct DeliveryPaceTests {
    /// The pause after batches that were taken at intervals, in microseconds.
    private func pause(after intervals: [Int], capacity: Int) -> Duration? {
        var pace = DeliveryPace()
        var now = 1_000_000
        pace.note(at: now)
        for interval in intervals {
            now += interval * 1_000
            pace.note(at: now)
        }
        return pace.pause(for: capacity)
    }

    @Test("it lets half of what is read ahead become ready, where that is soon")
    func fast() {
        #expect(pause(after: [40], capacity: 16) == .microseconds(320))
        #expect(pause(after: Array(repeating: 100, count: 9), capacity: 4) == .microseconds(200))
        #expect(pause(after: [62], capacity: 16) == .microseconds(496))
    }

    @Test("it waits for the first batch, for slow ones, and where few are read ahead")
    func slow() {
        #expect(DeliveryPace().pause(for: 16) == nil)
        #expect(pause(after: [], capacity: 16) == nil)
        #expect(pause(after: [63], capacity: 16) == nil)
        #expect(pause(after: [40], capacity: 3) == nil)
        #expect(pause(after: [40, 40, 5_000], capacity: 16) == nil, "it has become slow")
    }
}
