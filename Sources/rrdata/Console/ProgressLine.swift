import RRFormats
import RRReports
import RRSchemas

/// A line on the terminal that is written over as work goes on; nothing where standard error is no terminal, and for other programs
/// an object a line.
final class ProgressLine {
    private let isShown = Console.showsProgress
    private let isJSON = Console.progressForm == .json
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private var lastShown: ContinuousClock.Instant?
    /// What was done when the count was first shown, and when: what came before, such as a scan, has another pace.
    private var firstCount: (done: Int, elapsed: Duration)?
    private var lastWidth = 0

    private static let interval = Duration.milliseconds(100)

    init() { start = clock.now }

    /// Shows how far a count has come, with the rate and the time left once they can be told:
    /// `images 420000 of 1000000, 61230 images/s, 9 s left`.
    func show(_ what: String, done: Int, of total: Int) {
        guard !isJSON else {
            tell(isLast: done >= total) { elapsed in
                var object: [String: JSONValue] = [
                    "what": .string(what), "done": .integer(done), "of": .integer(total),
                ]
                object["seconds_left"] = rate(done: done, of: total, elapsed).map {
                    .number(Double(total - done) / $0)
                }
                return object
            }
            return
        }
        show(isLast: done >= total) { elapsed in
            var line = "\(what) \(done) of \(total)"
            if let rate = rate(done: done, of: total, elapsed) {
                let shown = rate < 10 ? Figure.text(rate) : "\(Int(rate))"
                line += ", \(shown) \(what)/s, \(Self.time(Double(total - done) / rate)) left"
            }
            return line
        }
    }

    /// What is done in a second; nil where it cannot be told yet, or where nothing is left.
    private func rate(done: Int, of total: Int, _ elapsed: Duration) -> Double? {
        let first = firstCount ?? (done, elapsed)
        firstCount = first
        let seconds = (elapsed - first.elapsed) / .seconds(1)
        return done > first.done && done < total && seconds > 0.5 ? Double(done - first.done) / seconds : nil
    }

    /// Tells other programs how far work is, where they asked for it, unless that was told a moment ago.
    ///
    /// - Parameter object: what is told beside `seconds`, those since the work began.
    func tell(isLast: Bool, _ object: (_ elapsed: Duration) -> [String: JSONValue]) {
        guard isJSON else { return }
        let now = clock.now
        if !isLast, let lastShown, now - lastShown < Self.interval { return }
        lastShown = now
        let told = object(now - start)
        Console.progress(
            json: told.merging(["seconds": .number((now - start) / .seconds(1))]) { first, _ in first })
    }

    /// Shows a text, unless one was shown a moment ago.
    func show(isLast: Bool = false, _ text: (_ elapsed: Duration) -> String) {
        guard isShown else { return }
        let now = clock.now
        if !isLast, let lastShown, now - lastShown < Self.interval { return }
        lastShown = now
        // A line that wraps could not be written over.
        let line = text(now - start).escaped(keepingLines: false).prefix(max(Console.width - 1, 20))
        let padding = String(repeating: " ", count: max(0, lastWidth - line.count))
        lastWidth = line.count
        Console.writeToStandardError("\r\(line)\(padding)")
    }

    /// Removes the line, so that what follows starts on an empty one.
    func clear() {
        guard isShown, lastWidth > 0 else { return }
        Console.writeToStandardError("\r" + String(repeating: " ", count: lastWidth) + "\r")
        lastWidth = 0
    }

    deinit { clear() }

    /// Shows how far work has come, and removes the line at its end.
    ///
    /// - Parameter work: takes what is to be called with the number done and the number of all.
    static func during<Outcome>(
        _ what: String, _ work: (_ progress: (Int, Int) -> Void) throws -> Outcome
    ) rethrows -> Outcome {
        let line = ProgressLine()
        defer { line.clear() }
        return try work { line.show(what, done: $0, of: $1) }
    }

    /// `3 s`, `2 min 5 s`; no more than 30 years, beyond which no guess has sense.
    static func time(_ seconds: Double) -> String {
        let whole = Int(max(0, min(seconds, 1e9)).rounded())
        return whole < 60 ? "\(whole) s" : "\(whole / 60) min \(whole % 60) s"
    }
}
