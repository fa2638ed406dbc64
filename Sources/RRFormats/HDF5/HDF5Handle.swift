internal import CHDF5

/// An identifier of libhdf5, given back when it goes out of scope.
struct HDF5Handle: ~Copyable {
    let id: hid_t
    /// The fate of the file that the identifier belongs to; nil where it belongs to none.
    private let writes: HDF5WriteState?

    /// Takes over an identifier that a call has just returned.
    ///
    /// - Throws: `FormatError` with the reason from libhdf5's error stack where the call failed.
    init(
        _ id: hid_t, at path: String, code: FormatError.Code = .cannotRead, of writes: HDF5WriteState? = nil
    ) throws(FormatError) {
        guard id >= 0 else { throw HDF5Library.failure(code, at: path) }
        self.id = id
        self.writes = writes
    }

    /// Stands where there is no identifier: every call of libhdf5 refuses it.
    init(none: Void) {
        id = -1
        writes = nil
    }

    /// A copy of a predefined type, which alone may not be closed.
    init(copyOf type: hid_t, at path: String) throws(FormatError) {
        try self.init(H5Tcopy(type), at: path)
    }

    deinit {
        guard id >= 0, writes?.hasFailed != true else { return }
        // A file that was closed has taken its objects with it; then this does nothing but complain.
        let errors = HDF5Library.silenceErrors()
        defer { errors.restore() }
        H5Idec_ref(id)
    }
}

/// Whether a write to a file has failed.
///
/// libhdf5 1.10 crashes when it closes what it could not write, a full disk being the common cause. After a failure
/// no identifier of the file is given back: a little memory is lost, and nothing is touched again.
final class HDF5WriteState {
    var hasFailed = false
    /// Of a failure that nobody has been told of so far: what is tried after it fails for other reasons.
    var failure: FormatError?
}
