import Dispatch
import Glibc
import RRFormats
import Synchronization

/// Ends the process on Ctrl-C, a request to terminate or a terminal that goes away, without anything half-written left
/// behind.
enum Interruption {
    /// The signals that end a process from outside, with what it has begun left to whoever sent them.
    private static let numbers = [
        SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU, SIGALRM, SIGUSR1, SIGUSR2,
    ]

    /// Signals that whoever starts a process turns off for it, as `nohup` does, stay off; Ctrl-C always works.
    private static let inheritable: Set = [SIGHUP, SIGQUIT]

    static func watch() {
        // A closed pipe and a file at its size limit are errors of the write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        for number in numbers where !(inheritable.contains(number) && isIgnored(number)) {
            // The source puts its own handler in place, a moment later on another thread. Until then the signal ends the process,
            // which has begun nothing; ignored, one that comes in that moment would be lost.
            signal(number, SIG_DFL)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                isUnderWay.store(true, ordering: .sequentiallyConsistent)
                say()
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

    /// Says what an interrupted command has kept.
    ///
    /// - Parameter note: asked when it is interrupted; nil where nothing is kept.
    static func keeps(_ note: @escaping @Sendable () -> Message?) { kept.withLock { $0 = note } }

    private static func say() {
        let note =
            kept.withLock { $0 }?() ?? (AtomicOutput.hasPending ? "nothing is kept of what was begun" : nil)
        guard let note else { return }
        // Below a line of progress.
        if Console.showsProgress { Console.writeToStandardError("\n") }
        Console.note("interrupted: \(note)")
    }

    private static let kept = Mutex<(@Sendable () -> Message?)?>(nil)

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    private static let isUnderWay = Atomic(false)
    private static let queue = DispatchQueue(label: "interruption")
    nonisolated(unsafe) private static var sources: [any DispatchSourceSignal] = []
}
