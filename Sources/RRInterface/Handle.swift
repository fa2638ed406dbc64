// Functions have the names of the header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

internal import CRRData
internal import Glibc
internal import RRDatasets
internal import RRFormats

/// What a handle of the C interface points to: a value that callers in C keep alive, and the process that it is of.
///
/// A copy of the process that `fork` has made has none of the threads and processes that belong to the value, and shares
/// its lines to them with the original: there it is neither used nor freed.
final class Handle<Value: Sendable>: Sendable {
    private let value: Value
    private let process = getpid()

    private init(_ value: Value) { self.value = value }

    /// Writes a new handle where the caller wants it.
    ///
    /// - Throws: `DatasetError` with the code `invalidOption` where the caller gives no place.
    static func give(_ value: Value, to place: UnsafeMutablePointer<OpaquePointer?>?) throws {
        guard let place else { throw ArgumentError.missing("place for the result") }
        place.pointee = OpaquePointer(Unmanaged.passRetained(Handle(value)).toOpaque())
    }

    /// The value of a caller's handle.
    ///
    /// - Throws: `DatasetError` with the code `invalidOption` for NULL, and for a handle of another process.
    static func value(of pointer: OpaquePointer?, _ what: String) throws -> Value {
        guard let pointer else { throw ArgumentError.missing(what) }
        let handle = Unmanaged<Handle>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
        guard handle.process == getpid() else {
            throw ArgumentError.wrong(
                "the \(what) was opened before this process was forked: open it anew in this one")
        }
        return handle.value
    }

    /// Frees a handle, but for NULL and for one of another process.
    static func close(_ pointer: OpaquePointer?) {
        guard let pointer else { return }
        let handle = Unmanaged<Handle>.fromOpaque(UnsafeRawPointer(pointer))
        if handle.takeUnretainedValue().process == getpid() { handle.release() }
    }
}

/// Arguments in C that make no sense.
enum ArgumentError {
    static func missing(_ what: String) -> DatasetError { wrong("the \(what) is NULL") }

    static func wrong(_ message: Message) -> DatasetError {
        DatasetError(.invalidOption, path: "", message)
    }
}

/// The texts of a list in C.
///
/// - Throws: `DatasetError` with the code `invalidOption` for NULL.
func texts(
    _ list: UnsafePointer<UnsafePointer<CChar>?>?, count: Int, _ what: String
) throws -> [String] {
    guard count > 0 else { return [] }
    guard let list else { throw ArgumentError.missing(what) }
    return try (0..<count).map { number in
        guard let text = list[number] else { throw ArgumentError.missing(what) }
        return String(cString: text)
    }
}

/// Writes a copy of a text where the caller wants it, to be freed by `rr_text_free`.
///
/// - Throws: `DatasetError` with the code `invalidOption` where the caller gives no place.
func give(_ text: String, to place: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) throws {
    guard let place else { throw ArgumentError.missing("place for the text") }
    place.pointee = strdup(text)
}

@c @implementation
public func rr_text_free(_ text: UnsafeMutablePointer<CChar>?) { free(text) }
