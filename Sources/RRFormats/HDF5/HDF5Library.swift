internal import CHDF5
internal import CHDF5Filters
internal import Synchronization

/// The settings of libhdf5 that every call needs, and the way from its errors to ours.
enum HDF5Library {
    /// How libhdf5 prints the errors of a thread.
    struct ErrorPrinting {
        private var printer: H5E_auto2_t?
        private var context: UnsafeMutableRawPointer?

        fileprivate init() { H5Eget_auto2(rr_h5e_default(), &printer, &context) }

        /// Prints errors so again.
        func restore() { H5Eset_auto2(rr_h5e_default(), printer, context) }
    }

    /// Keeps libhdf5 from printing its errors to the standard error stream, before any call of it.
    ///
    /// The printing is a setting of each thread, and a host program may want its own back.
    ///
    /// - Returns: what is to be restored by the same function, in a `defer`.
    static func silenceErrors() -> ErrorPrinting {
        _ = isPrepared
        let printing = ErrorPrinting()
        H5Eset_auto2(rr_h5e_default(), nil, nil)
        return printing
    }

    /// Throws where a call has just failed.
    static func check(
        _ status: herr_t, at path: String, code: FormatError.Code = .cannotRead
    ) throws(FormatError) {
        guard status >= 0 else { throw failure(code, at: path) }
    }

    /// The error for a call that has just failed; it has to be made before any further call, which would
    /// clear the error stack.
    static func failure(_ code: FormatError.Code, at path: String) -> FormatError {
        let text = fullReason()
        let isOfDevice = code == .cannotWrite && failedCall(in: text).map(SystemFailure.isOfDevice) ?? false
        return explained(isOfDevice ? .writeFailed : code, at: path, reason(in: text))
    }

    /// The error for a reason that libhdf5 gave; where its release is too old for the file, that is what is wrong.
    static func explained(_ code: FormatError.Code, at path: String, _ reason: String) -> FormatError {
        guard reason.contains("version"), ["bad", "unknown", "wrong"].contains(where: reason.contains) else {
            return FormatError(code, path: path, "libhdf5: \(reason)")
        }
        return FormatError(
            .unsupported, path: path,
            "this is stored in a form of HDF5 that libhdf5 \(version) does not know: a newer release "
                + "wrote it, with libver='latest' or the like (libhdf5: \(reason)). Write it anew without libver, or "
                + "with libver='v110', or copy it by that release's h5repack")
    }

    /// The version of libhdf5 that runs, as 1.10.8.
    static var version: String {
        var (major, minor, release): (UInt32, UInt32, UInt32) = (0, 0, 0)
        H5get_libversion(&major, &minor, &release)
        return "\(major).\(minor).\(release)"
    }

    /// The innermost message of the error stack as it stands there.
    static func fullReason() -> String {
        var reason = rr_h5_reason()
        rr_h5_read_reason(&reason)
        return text(of: reason)
    }

    /// The innermost message of the error stack; of a system call's failure the system's words.
    static func reason() -> String { reason(in: fullReason()) }

    private static func reason(in text: String) -> String {
        if let words = text.firstRange(of: "error message = '") {
            return String(text[words.upperBound...].prefix { $0 != "'" })
        }
        return text.isEmpty ? "an error without a reason" : text
    }

    /// The `errno` of the system call of which a message tells; nil where it tells of none.
    private static func failedCall(in text: String) -> Int32? {
        text.firstRange(of: "errno = ").flatMap { Int32(text[$0.upperBound...].prefix { $0.isNumber }) }
    }

    /// The text of a record that C has filled.
    static func text(of reason: rr_h5_reason) -> String {
        withUnsafeBytes(of: reason.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// Lets libhdf5 load the filter plugins that it finds, for the rest of the process.
    static func allowPlugins() {
        _ = isPrepared
        H5PLset_loading_state(UInt32.max)
    }

    /// Settings of the whole process.
    private static let isPrepared: Bool = {
        // At the end of the process libhdf5 would close what could not be written, and crash. Our files are closed
        // by then.
        H5dont_atexit()
        // Without these, data that they compressed are refused by name.
        _ = rr_hdf5_register_filters()
        // Filter plugins are code that a file from a stranger would choose.
        return H5PLset_loading_state(0) >= 0
    }()
}

extension Mutex where Value == () {
    /// Runs a body that throws a typed error, one at a time.
    func withLockTyped<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result
    {
        let outcome: Swift.Result<Result, Failure> = withLock { _ in
            do throws(Failure) {
                return .success(try body())
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}
