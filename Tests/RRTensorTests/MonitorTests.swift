import Dispatch
import RRTensor
import Testing

@Suite("The monitor")
struct MonitorTests {
    /// Numbers that threads hand on, a few at a time.
    ///
    /// Unchecked: `numbers`, `sum` and `hasEnded` are touched under the monitor alone.
    private final class Channel: @unchecked Sendable {
        private let monitor = Monitor()
        private var numbers: [Int] = []
        private var hasEnded = false
        private var sum = 0

        func put(_ number: Int) {
            monitor.withLock {
                while numbers.count == 3 { monitor.wait() }
                numbers.append(number)
                monitor.wakeAll()
            }
        }

        func end() {
            monitor.withLock {
                hasEnded = true
                monitor.wakeAll()
            }
        }

        /// Adds up what comes until the end.
        func addAll() {
            while true {
                let isOver = monitor.withLock {
                    while numbers.isEmpty, !hasEnded { monitor.wait() }
                    if let number = numbers.popLast() { sum += number }
                    monitor.wakeAll()
                    return numbers.isEmpty && hasEnded
                }
                if isOver { return }
            }
        }

        var total: Int { monitor.withLock { sum } }
    }

    @Test("threads that wait see what others change, and all of them the end", .timeLimit(.minutes(1)))
    func handingOn() {
        let channel = Channel()
        let group = DispatchGroup()
        for _ in 0..<3 { DispatchQueue(label: "taking").async(group: group) { channel.addAll() } }
        for number in 1...1000 { channel.put(number) }
        channel.end()
        group.wait()
        #expect(channel.total == 500_500)
    }

    @Test("an error of the body leaves the lock free")
    func errors() {
        struct Failure: Error {}
        let monitor = Monitor()
        #expect(throws: Failure.self) { try monitor.withLock { throw Failure() } }
        #expect(monitor.withLock { 7 } == 7)
    }
}
