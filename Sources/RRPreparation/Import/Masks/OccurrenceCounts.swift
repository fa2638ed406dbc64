internal import RRTensor

/// How often something was met while several threads read masks.
///
/// Unchecked: the counts are touched within the monitor alone.
final class OccurrenceCounts<Kind: Hashable>: @unchecked Sendable {
    private let monitor = Monitor()
    private var counts: [Kind: Int] = [:]

    func add(_ kind: Kind) { monitor.withLock { counts[kind, default: 0] += 1 } }

    func count(of kind: Kind) -> Int { monitor.withLock { counts[kind] ?? 0 } }
}
