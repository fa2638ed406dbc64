internal import Synchronization

/// Whether the helpers of a crew are worth calling.
///
/// On a machine that others keep busy a helper may lose its core in the middle of a part, for some milliseconds, as long as a
/// small network takes for several steps. Where the caller has waited for longer than it would have worked alone, it works alone
/// for eight times as long: so a ninth of its time is lost at most. What a job computes depends on none of it.
final class HelperStanding: Sendable {
    /// The time, in nanoseconds, until which helpers are left out.
    private let absenceEnd = Atomic(0)

    /// Half a millisecond: less is no lost core, but the end of a part.
    private static let leastLoss = 500_000

    /// Whether helpers take part in what begins.
    func allowsHelp(now: Int = Monitor.now) -> Bool { now >= absenceEnd.load(ordering: .relaxed) }

    /// Judges a job that helpers took part in.
    ///
    /// - Parameters:
    ///   - worked: how long the caller had something to do, in nanoseconds.
    ///   - waited: how long it then waited for the helpers.
    func judge(worked: Int, waited: Int, threadCount: Int, now: Int = Monitor.now) {
        guard waited > max(worked * (threadCount - 1), Self.leastLoss) else { return }
        absenceEnd.store(now + 8 * waited, ordering: .relaxed)
    }
}

/// How long the caller of a job has worked at it, in nanoseconds. It alone uses the clock.
final class JobClock: Sendable {
    private let start = Monitor.now
    private let end: Atomic<Int>

    init() { end = Atomic(start) }

    /// Says that the caller has done something until now.
    func note() { end.store(Monitor.now, ordering: .relaxed) }

    /// How long it had something to do, and how long it has waited since.
    var durations: (worked: Int, waited: Int) {
        let end = end.load(ordering: .relaxed)
        return (end - start, Monitor.now - end)
    }
}
