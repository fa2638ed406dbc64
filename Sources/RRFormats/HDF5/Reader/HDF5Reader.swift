internal import CHDF5Reader
internal import Glibc
internal import RRTensor
internal import Synchronization

/// The process that reads an HDF5 file for this one, and the way to it.
///
/// libhdf5 crashes on many a damaged file, and a file can be made to take over a process that reads it. So the process
/// that does may read the file, answer, and nothing else. What it answers is checked as a stranger's words are: an address
/// lies in the file, a size is bounded before memory is allocated, and elements are checked as they ever are.
///
/// Any thread may ask; one question is answered at a time.
final class HDF5Reader: Sendable {
    /// The file, which both processes read through one open description.
    let input: InputFile

    private enum State {
        /// The answer to the first question is still to come.
        case starts(HDF5Socket, pid_t)
        case lives(HDF5Socket, pid_t)
        case ended(FormatError)
    }

    private let state: Mutex<State>

    /// Starts a process and has it open a file.
    ///
    /// - Parameter awaits: whether it is waited for; if not, `finishOpening()` has to be called before it is asked.
    /// - Throws: `FormatError` as `HDF5File(reading:)` does.
    init(_ input: InputFile, trustingLinks: Bool, awaits: Bool = true) throws(FormatError) {
        self.input = input
        let (socket, process) = try HDF5ReaderProcess.spawn(reading: input)
        state = Mutex(.starts(socket, process))
        // Where it is gone already, that is found when its answer is awaited.
        try? Self.send(.open(path: input.path, trustsLinks: trustingLinks), to: socket)
        if awaits { try finishOpening() }
    }

    /// Waits until the file is open.
    ///
    /// - Throws: `FormatError` as `HDF5File(reading:)` does.
    func finishOpening() throws(FormatError) {
        _ = try exchange(nil) { socket, count throws(Refusal) in
            guard count == 0 else { throw Refusal() }
        }
    }

    deinit {
        state.withLock { state in
            switch state {
            case .starts(let socket, let process), .lives(let socket, let process):
                _ = Self.end(socket, process)
            case .ended: break
            }
        }
        // The lock is the open description's, which others may hold longer.
        flock(input.descriptor, LOCK_UN)
    }

    /// The error that ended the process; nil while it lives.
    var failure: FormatError? {
        state.withLock { state in if case .ended(let error) = state { error } else { nil } }
    }

    /// Has a question answered.
    ///
    /// - Parameters:
    ///   - largest: the most bytes of an answer.
    ///   - parse: takes the answer apart.
    /// - Throws: the `FormatError` that is the answer, or `malformed` where the process ended over it.
    func ask<Answer>(
        _ request: HDF5Request, largest: Int = 64 << 20,
        _ parse: (inout HDF5RecordParser) throws(HDF5BrokenRecord) -> Answer
    ) throws(FormatError) -> Answer {
        let bytes = try exchange(request) { socket, count throws(Refusal) in
            guard count <= largest else { throw Refusal() }
            do throws(HDF5Socket.Closed) {
                return try socket.receive(count)
            } catch {
                throw Refusal()
            }
        }
        do throws(HDF5BrokenRecord) {
            var parser = HDF5RecordParser(bytes)
            let answer = try parse(&parser)
            try parser.end()
            return answer
        } catch {
            throw broken
        }
    }

    /// Has a question answered by as many bytes as a buffer has.
    ///
    /// - Throws: as `ask(_:largest:_:)`.
    func ask(_ request: HDF5Request, into buffer: UnsafeMutableRawBufferPointer) throws(FormatError) {
        try exchange(request) { socket, count throws(Refusal) in
            guard count == buffer.count else { throw Refusal() }
            do throws(HDF5Socket.Closed) {
                try socket.receive(into: buffer)
            } catch {
                throw Refusal()
            }
        }
    }

    /// Says something that is not answered.
    func tell(_ request: HDF5Request) {
        state.withLock { state in
            guard case .lives(let socket, _) = state else { return }
            try? Self.send(request, to: socket)
        }
    }

    /// An answer that is not taken, after which no other is either.
    private struct Refusal: Error {}

    /// - Parameter request: nil for the first, which has been sent.
    private func exchange<Answer>(
        _ request: HDF5Request?, receive: (HDF5Socket, Int) throws(Refusal) -> Answer
    ) throws(FormatError) -> Answer {
        let outcome: Result<Answer, FormatError> = state.withLock { state in
            switch state {
            case .ended(let error): return .failure(error)
            case .starts(let socket, let process), .lives(let socket, let process):
                if case .starts = state, let failure = Self.mismatch(of: socket, reading: input) {
                    _ = Self.end(socket, process)
                    state = .ended(failure)
                    return .failure(failure)
                }
                state = .lives(socket, process)
                do {
                    if let request { try Self.send(request, to: socket) }
                    let (isError, count) = try socket.receiveAnswer()
                    guard count >= 0 else { throw Refusal() }
                    guard isError else { return .success(try receive(socket, count)) }
                    guard count <= 1 << 20 else { throw Refusal() }
                    var parser = HDF5RecordParser(try socket.receive(count))
                    let error = try parser.error()
                    try parser.end()
                    return .failure(error)
                } catch {
                    let failure = FormatError(
                        .malformed, path: input.path, Self.explanation(of: Self.end(socket, process)))
                    state = .ended(failure)
                    return .failure(failure)
                }
            }
        }
        return try outcome.get()
    }

    /// What is wrong with a process that begins otherwise than one of this release; nil where it is one.
    private static func mismatch(of socket: HDF5Socket, reading input: InputFile) -> FormatError? {
        let release = socket.receiveGreeting()
        guard release != Release.name else { return nil }
        let program = HDF5ReaderProcess.namedProgram.map { "\($0) " } ?? ""
        let what =
            release.map { "is of another release, \($0)" }
            ?? "does not say its release: it is an older one, or none of ours"
        return FormatError(
            .cannotRead, path: input.path,
            "the program \(program)that is to read the file \(what): it must be of the same release as what asks it, "
                + "\(Release.name)")
    }

    private var broken: FormatError {
        FormatError(
            .malformed, path: input.path, "the file is damaged: what libhdf5 read of it contradicts itself")
    }

    private static func send(_ request: HDF5Request, to socket: HDF5Socket) throws(HDF5Socket.Closed) {
        try socket.send(message: request.record.bytes)
    }

    /// Ends the process; how it ended, as `waitpid` has it.
    private static func end(_ socket: HDF5Socket, _ process: pid_t) -> Int32 {
        close(socket.descriptor)
        kill(process, SIGKILL)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status
    }

    private static func explanation(of status: Int32) -> String {
        let signal = status & 0x7F
        let (isOfTime, exitCode) = (signal == SIGPROF, status >> 8 & 0xFF)
        if isOfTime || signal == 0 && exitCode == rr_reader_is_stuck {
            return "the file is damaged: libhdf5 did not come to an end of reading it"
        }
        return "the file is damaged: libhdf5 broke off reading it, in a process of its own"
            + (signal == 0 || signal == SIGKILL ? "" : " (signal \(signal))")
    }
}
