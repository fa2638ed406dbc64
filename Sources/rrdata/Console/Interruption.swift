import Dispatch
import Glibc
import RRFormats
import Synchronization

/// Ends the process on Ctrl-C or a request to terminate, without anything half-written left behind.
enum Interruption {
    static func watch() {
        // A closed pipe and a file at its size limit are errors of the write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        for number in [SIGINT, SIGTERM] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                isUnderWay.store(true, ordering: .sequentiallyConsistent)
                AtomicOutput.removeAllPending(thenExitWith: 128 + number)
            }
            source.activate()
            sources.append(source)
        }
    }

    /// Never returns once the process has been told to end, which another thread sees to.
    static func waitIfUnderWay() {
        while isUnderWay.load(ordering: .sequentiallyConsistent) { pause() }
    }

    private static let isUnderWay = Atomic(false)
    private static let queue = DispatchQueue(label: "interruption")
    nonisolated(unsafe) private static var sources: [any DispatchSourceSignal] = []
}
