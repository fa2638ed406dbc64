import Dispatch
import Glibc
import RRFormats

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
                AtomicOutput.removeAllPending()
                // Not `exit`: it would run while the other threads still work.
                _exit(128 + number)
            }
            source.activate()
            sources.append(source)
        }
    }

    private static let queue = DispatchQueue(label: "interruption")
    nonisolated(unsafe) private static var sources: [any DispatchSourceSignal] = []
}
