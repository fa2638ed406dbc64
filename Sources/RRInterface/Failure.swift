// Functions have the names of the header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import CRRData
internal import Glibc
internal import RRDatasets
internal import RRFormats
internal import RRStreaming
internal import RRTensor

/// What a failed call tells: the `rr_error` of the C interface.
///
/// Unlike other handles it may be used in every process: it holds nothing but texts.
final class Failure: Sendable {
    let status: rr_status
    let sample: Int64
    nonisolated(unsafe) let code: UnsafeMutablePointer<CChar>?
    nonisolated(unsafe) let message: UnsafeMutablePointer<CChar>?
    nonisolated(unsafe) let path: UnsafeMutablePointer<CChar>?

    init(_ error: any Error) {
        let facts = Self.facts(of: error)
        status = facts.status
        sample = (error as? StreamError).map { Int64($0.index) } ?? -1
        code = strdup(facts.code.hyphenated)
        message = strdup((error as? any ExplainedError)?.explanation.interfaceText ?? "\(error)")
        path = strdup(facts.path)
    }

    deinit {
        free(code)
        free(message)
        free(path)
    }

    private static func facts(of error: any Error) -> (status: rr_status, code: String, path: String) {
        switch error {
        case let error as FormatError: (status(of: error.kind), "\(error.code)", error.path)
        case let error as DatasetError: (status(of: error.kind), "\(error.code)", error.path)
        case let error as StreamError: (status(of: error.kind), "\(error.code)", error.path)
        case let error as TensorError: (RR_BAD_DATA, "\(error.code)", "")
        default: (RR_SOFTWARE, "unexpected", "")
        }
    }

    private static func status(of kind: FailureKind) -> rr_status {
        switch kind {
        case .usage: RR_USAGE
        case .badData: RR_BAD_DATA
        case .noInput: RR_NO_INPUT
        // Nothing is written through this interface.
        case .cannotWrite, .ioError: RR_IO_ERROR
        }
    }
}

/// Does what a function of the C interface does, and turns what is thrown into a status and an `rr_error`.
///
/// - Parameter place: where the caller wants the error; nil where it does not.
func answer(
    _ place: UnsafeMutablePointer<OpaquePointer?>?, _ body: () throws -> rr_status
) -> rr_status {
    place?.pointee = nil
    do {
        return try body()
    } catch {
        let failure = Failure(error)
        let status = failure.status
        place?.pointee = OpaquePointer(Unmanaged.passRetained(failure).toOpaque())
        return status
    }
}

private func failure(_ pointer: OpaquePointer?) -> Failure? {
    pointer.map { Unmanaged<Failure>.fromOpaque(UnsafeRawPointer($0)).takeUnretainedValue() }
}

@c @implementation
public func rr_error_status(_ error: OpaquePointer?) -> rr_status { failure(error)?.status ?? RR_OK }

@c @implementation
public func rr_error_code(_ error: OpaquePointer?) -> UnsafePointer<CChar>? {
    UnsafePointer(failure(error)?.code)
}

@c @implementation
public func rr_error_message(_ error: OpaquePointer?) -> UnsafePointer<CChar>? {
    UnsafePointer(failure(error)?.message)
}

@c @implementation
public func rr_error_path(_ error: OpaquePointer?) -> UnsafePointer<CChar>? {
    UnsafePointer(failure(error)?.path)
}

@c @implementation
public func rr_error_sample(_ error: OpaquePointer?) -> Int64 { failure(error)?.sample ?? -1 }

@c @implementation
public func rr_error_free(_ error: OpaquePointer?) {
    if let error { Unmanaged<Failure>.fromOpaque(UnsafeRawPointer(error)).release() }
}
