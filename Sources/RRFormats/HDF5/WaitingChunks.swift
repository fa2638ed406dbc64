internal import Glibc

/// Compressed chunks that wait for those before them: in memory up to a size, beyond it in a file without a name.
struct WaitingChunks: ~Copyable {
    private enum Place {
        case memory([UInt8])
        case file(offset: Int, count: Int)
    }

    private var places: [Int: Place] = [:]
    private var memorySize = 0
    private let mostMemory: Int
    /// Where the file is made, and what errors name.
    private let (writtenPath, shownPath): (String, String)
    private var descriptor: Int32 = -1
    private var fileSize = 0
    private var fileCount = 0

    /// - Parameters:
    ///   - mostMemory: the bytes that are held in memory.
    ///   - writtenPath: a path beside which nobody else makes files.
    ///   - shownPath: what errors name.
    init(mostMemory: Int, beside writtenPath: String, shownAs shownPath: String) {
        self.mostMemory = mostMemory
        (self.writtenPath, self.shownPath) = (writtenPath, shownPath)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Takes a chunk in.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    mutating func add(_ bytes: UnsafeRawBufferPointer, chunk: Int) throws(FormatError) {
        guard memorySize + bytes.count > mostMemory else {
            places[chunk] = .memory(Array(bytes))
            memorySize += bytes.count
            return
        }
        try openFile()
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            done += try count(pwrite(descriptor, rest.baseAddress, rest.count, fileSize + done))
        }
        places[chunk] = .file(offset: fileSize, count: bytes.count)
        fileSize += bytes.count
        fileCount += 1
    }

    /// Gives a chunk out; nil where it does not wait.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite` where it cannot be read again.
    mutating func take(_ chunk: Int) throws(FormatError) -> [UInt8]? {
        switch places.removeValue(forKey: chunk) {
        case nil: return nil
        case .memory(let bytes)?:
            memorySize -= bytes.count
            return bytes
        case .file(let offset, let size)?:
            var bytes = [UInt8](repeating: 0, count: size)
            var done = 0
            while done < size {
                let step = bytes.withUnsafeMutableBytes {
                    pread(descriptor, $0.baseAddress?.advanced(by: done), size - done, offset + done)
                }
                done += try count(step)
            }
            fileCount -= 1
            // The file is used from its beginning again once nothing is in it.
            if fileCount == 0 { fileSize = 0 }
            return bytes
        }
    }

    private mutating func openFile() throws(FormatError) {
        guard descriptor < 0 else { return }
        let path = writtenPath + ".waiting"
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(errno) }
        unlink(path)
    }

    /// The bytes that a call has moved; 0 where it was interrupted.
    private func count(_ step: Int) throws(FormatError) -> Int {
        guard step <= 0 else { return step }
        guard step < 0, errno == EINTR else { throw failure(step < 0 ? errno : EIO) }
        return 0
    }

    private func failure(_ code: Int32) -> FormatError {
        FormatError(writing: shownPath, failure: code)
    }
}
