internal import RRDatasets
internal import RRFormats
internal import Synchronization

/// What several threads meet in mask files beside their pixels.
final class MaskFileTally: Sendable {
    private let counts = Mutex(PNGTally())

    /// What was met so far.
    var value: PNGTally { counts.withLock { $0 } }

    func add(_ orientation: PNGOrientation, _ faults: PNGFaults) {
        counts.withLock { $0.add(orientation, faults) }
    }
}
