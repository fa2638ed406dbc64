internal import CHDF5
internal import CHDF5Reader
internal import Glibc

/// An open HDF5 file.
///
/// A file from a stranger can name other files and code to load: external links, external storage,
/// virtual datasets and filter plugins are refused. Calls may come from any thread, one at a time.
///
/// Where the program has asked for it, a file is read by a process of its own, see `HDF5ReaderProcess`; what reads then
/// asks the process, and no identifier here is one.
package final class HDF5File {
    package let path: String

    /// Whether what the file names may be opened too: other files and filter plugins.
    let trustsLinks: Bool
    let handle: HDF5Handle
    /// Shared with every handle of the file.
    let writes: HDF5WriteState
    /// The process that reads the file; nil where libhdf5 reads or writes it in this one.
    let reader: HDF5Reader?
    /// The file as it was opened for reading; nil for one that is written.
    let input: InputFile?
    /// Whether lists and texts may be read past libhdf5.
    let readsPastLibrary: Bool
    private let links: HDF5LinkPolicy?
    /// Where the file is while it is written.
    let writtenPath: String
    private var isClosed = false

    /// Opens a file for reading.
    ///
    /// - Parameter trustingLinks: whether external links, external storage, virtual datasets and filter plugins are
    ///   followed. Plugins are then allowed to the whole process, which libhdf5 cannot tell apart.
    /// - Throws: `FormatError` with the code `notFound`, `cannotRead`, or `malformed` for a file that is not
    ///   HDF5 or is cut short.
    package convenience init(reading path: String, trustingLinks: Bool = false) throws(FormatError) {
        let input = try InputFile(reading: path)
        if HDF5ReaderProcess.isReady {
            let reader: HDF5Reader
            if !trustingLinks, let expected = HDF5ReaderProcess.takeExpected(input) {
                reader = expected
                try reader.finishOpening()
            } else {
                reader = try HDF5Reader(input, trustingLinks: trustingLinks)
            }
            self.init(reader, trustingLinks: trustingLinks)
        } else {
            try self.init(reading: input, trustingLinks: trustingLinks)
        }
    }

    /// Takes over a process that has opened a file.
    private init(_ reader: HDF5Reader, trustingLinks: Bool) {
        (path, writtenPath) = (reader.input.path, reader.input.path)
        (self.reader, input, links, readsPastLibrary) = (reader, reader.input, nil, true)
        (writes, trustsLinks) = (HDF5WriteState(), trustingLinks)
        handle = HDF5Handle(none: ())
    }

    /// Reads an open file in this process.
    ///
    /// - Parameter byLibraryAlone: whether libhdf5 reads all; whoever asks has read what can be read past it, and no thread
    ///   is started.
    init(
        reading input: InputFile, trustingLinks: Bool, byLibraryAlone: Bool = false
    ) throws(FormatError) {
        let path = input.path
        let writes = HDF5WriteState()
        let errors = HDF5Library.silenceErrors()
        defer { errors.restore() }
        if trustingLinks { HDF5Library.allowPlugins() }
        let access = try Self.makeAccess(for: path)
        try HDF5Library.check(
            rr_hdf5_set_driver(access.id, input.descriptor, path) < 0 ? -1 : 0, at: path)
        let id = H5Fopen(path, rr_h5f_acc_rdonly(), access.id)
        guard id >= 0 else { throw Self.openingFailure(at: path) }
        handle = try HDF5Handle(id, at: path, of: writes)
        links = try HDF5LinkPolicy(at: path, followsAll: trustingLinks)
        trustsLinks = trustingLinks
        (reader, self.input, readsPastLibrary) = (nil, input, !byLibraryAlone)
        (self.path, writtenPath, self.writes) = (path, path, writes)
    }

    /// Creates a file where there is none: not even a link at `writtenPath` is followed.
    ///
    /// The same calls make the same bytes: no times are recorded. The format is that of HDF5 1.8, the oldest
    /// whose attributes may be larger than 64 KB.
    ///
    /// - Parameters:
    ///   - writtenPath: where it is written; of an `AtomicOutput` the temporary path, while it is pending.
    ///   - path: the file that errors name; nil for `writtenPath`.
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package init(creating writtenPath: String, path: String? = nil) throws(FormatError) {
        let path = path ?? writtenPath
        let writes = HDF5WriteState()
        let errors = HDF5Library.silenceErrors()
        defer { errors.restore() }
        let access = try Self.makeAccess(for: path)
        try HDF5Library.check(
            H5Pset_libver_bounds(access.id, H5F_LIBVER_V18, H5F_LIBVER_V18), at: path, code: .cannotWrite)
        try HDF5Library.check(H5Pset_alignment(access.id, 4096, 4096), at: path, code: .cannotWrite)
        // A process that is started meanwhile inherits the descriptor, and with it the lock: it would keep
        // the finished file from being read.
        try HDF5Library.check(H5Pset_file_locking(access.id, false, true), at: path, code: .cannotWrite)
        // Without it a write would fail where no one hears it: when the dataset is closed.
        try HDF5Library.check(H5Pset_sieve_buf_size(access.id, 0), at: path, code: .cannotWrite)
        let creation = try HDF5Handle(H5Pcreate(rr_h5p_file_create()), at: path, code: .cannotWrite)
        try HDF5Library.check(H5Pset_obj_track_times(creation.id, false), at: path, code: .cannotWrite)
        handle = try HDF5Handle(
            H5Fcreate(writtenPath, rr_h5f_acc_excl(), creation.id, access.id), at: path,
            code: .cannotWrite, of: writes)
        links = try HDF5LinkPolicy(at: path)
        trustsLinks = false
        (reader, input, readsPastLibrary) = (nil, nil, false)
        (self.path, self.writtenPath, self.writes) = (path, writtenPath, writes)
    }

    deinit {
        guard input == nil else { return }
        flush { H5Fflush(handle.id, H5F_SCOPE_GLOBAL) }
    }

    /// Writes what is buffered and closes the file with every dataset of it, which must not be used after.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package func close() throws(FormatError) {
        guard !isClosed else { return }
        try write { () throws(FormatError) in
            // A flush that fails leaves libhdf5's records whole; a close that fails leaves half of them behind.
            try HDF5Library.check(H5Fflush(handle.id, H5F_SCOPE_GLOBAL), at: path, code: .cannotWrite)
            try HDF5Library.check(H5Fclose(handle.id), at: path, code: .cannotWrite)
        }
        isClosed = true
    }

    /// Runs a body that writes; after a failure the file is of no more use, and gives its space on the disk back.
    func write<Value: ~Copyable>(_ body: () throws(FormatError) -> Value) throws(FormatError) -> Value {
        try checkOpen()
        let errors = HDF5Library.silenceErrors()
        defer { errors.restore() }
        do throws(FormatError) {
            if let failure = writes.failure { throw failure }
            return try body()
        } catch {
            if error.code == .cannotWrite || error.code == .writeFailed {
                isClosed = true
                writes.hasFailed = true
                truncate(writtenPath, 0)
            }
            throw error
        }
    }

    /// Throws the error of a write past libhdf5, after which the file is of no more use. One thread at a time.
    func giveUp(_ failure: FormatError) throws(FormatError) -> Never {
        // Another thread may have given it up already, for the same reason.
        if !isClosed {
            isClosed = true
            writes.hasFailed = true
            truncate(writtenPath, 0)
        }
        throw failure
    }

    /// Flushes what is closed with nobody to hear of a failure; the next write throws it, and the file is of no more use.
    func flush(_ flush: () -> herr_t) {
        let errors = HDF5Library.silenceErrors()
        defer { errors.restore() }
        guard !isClosed, !writes.hasFailed else { return }
        // The reason goes with the next call.
        writes.failure = flush() < 0 ? HDF5Library.failure(.cannotWrite, at: path) : nil
        writes.hasFailed = writes.failure != nil
    }

    /// Throws where the process that reads the file has ended over it, though an error of that was not heeded.
    package func checkReader() throws(FormatError) {
        if let failure = reader?.failure { throw failure }
    }

    /// Throws where the file has been closed.
    func checkOpen() throws(FormatError) {
        guard !isClosed else { throw FormatError(.cannotRead, path: path, "the file has been closed") }
    }

    /// Opens an object of any kind.
    ///
    /// - Throws: `FormatError` with the code `notFound`, which lists what is there, `unsupported` for what
    ///   lies behind an external link, or `malformed`.
    func open(_ objectPath: String) throws(FormatError) -> HDF5Handle {
        let location = location(of: objectPath)
        try checkOpen()
        guard !objectPath.utf8.contains(0) else {
            throw FormatError(.notFound, path: path, "the name of an object cannot hold a zero byte")
        }
        guard let links else {
            throw FormatError(.cannotRead, path: path, "the file is read by another process")
        }
        links.refused.pointee = rr_h5_reason()
        let id = H5Oopen(handle.id, objectPath, links.access.id)
        guard id < 0 else { return try HDF5Handle(id, at: location, of: writes) }
        let reason = HDF5Library.reason()
        let refused = HDF5Library.text(of: links.refused.pointee)
        guard refused.isEmpty else {
            throw FormatError(
                .unsupported, path: location,
                "this is an external link to \(refused); links to other files are not followed "
                    + "unless \(option: .trustsLinks) says so")
        }
        try checkPresence(of: objectPath, access: links.access.id)
        throw HDF5Library.explained(.malformed, at: location, reason)
    }

    /// `data.h5:/images`
    func location(of objectPath: String) -> String {
        objectPath == "/" ? path : path + (objectPath.hasPrefix("/") ? ":" : ":/") + objectPath
    }
}

extension HDF5File {
    private static func makeAccess(for path: String) throws(FormatError) -> HDF5Handle {
        let access = try HDF5Handle(H5Pcreate(rr_h5p_file_access()), at: path)
        // Closing the file closes its datasets, so that no handle that lives on holds the file open.
        try HDF5Library.check(H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG), at: path)
        // The cache of chunks is filled only as chunks are met; 1 MB, the default, is less than one chunk
        // of many a file, and then each read of rows would inflate a chunk anew.
        try HDF5Library.check(H5Pset_cache(access.id, 0, 521, 64 << 20, 0.75), at: path)
        // File systems without locks serve reading all the same.
        try HDF5Library.check(H5Pset_file_locking(access.id, true, true), at: path)
        return access
    }

    /// The error for a file that the system opens and libhdf5 does not.
    private static func openingFailure(at path: String) -> FormatError {
        let isLocked = HDF5Library.fullReason().contains("unable to lock")
        let reason = HDF5Library.reason()
        if reason.contains("file signature not found") {
            return FormatError(.malformed, path: path, "this is not an HDF5 file")
        }
        if isLocked {
            return FormatError(
                .inUse, path: path,
                "another program has the file open for writing and holds a lock on it (libhdf5: \(reason)); close it "
                    + "there first")
        }
        if reason.contains("already open for write") {
            return FormatError(
                .inUse, path: path,
                "the file is marked as open for writing: another program is writing to it, or ended without closing it. "
                    + "Close it there first; where no program has it open, h5clear -s \(path) takes the mark away"
            )
        }
        let explained = HDF5Library.explained(.malformed, at: path, reason)
        guard explained.code == .malformed else { return explained }
        return FormatError(.malformed, path: path, "the file is cut short or damaged (libhdf5: \(reason))")
    }

    /// Throws `notFound` for the first name along a path that is not there.
    private func checkPresence(of objectPath: String, access: hid_t) throws(FormatError) {
        var parent = ""
        for name in objectPath.split(separator: "/") {
            let child = parent + "/" + name
            if H5Lexists(handle.id, child, access) == 0 {
                let group = parent.isEmpty ? "/" : parent
                let names = try memberNames(of: group)
                let listed = names.prefix(20).joined(separator: ", ") + (names.count > 20 ? ", …" : "")
                throw FormatError(
                    .notFound, path: location(of: objectPath),
                    "there is no object of this name; \(group) holds \(names.isEmpty ? "nothing" : listed)"
                        + NearestNames(to: String(name), among: names).question)
            }
            parent = child
        }
    }
}

/// How the links of a file are followed: external ones not at all, unless all are.
private final class HDF5LinkPolicy {
    let access: HDF5Handle
    /// The file that a refused external link names; empty while none was met.
    let refused = UnsafeMutablePointer<rr_h5_reason>.allocate(capacity: 1)

    init(at path: String, followsAll: Bool = false) throws(FormatError) {
        refused.initialize(to: rr_h5_reason())
        let errors = HDF5Library.silenceErrors()
        defer { errors.restore() }
        access = try HDF5Handle(H5Pcreate(rr_h5p_link_access()), at: path)
        if !followsAll {
            try HDF5Library.check(rr_h5_set_refusal_of_external_links(access.id, refused), at: path)
        }
    }

    deinit { refused.deallocate() }
}
