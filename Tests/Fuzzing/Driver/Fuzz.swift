import FoundationEssentials
import Glibc

// libFuzzer's own driver, which the sanitizer brings: `Fuzz READER [FLAGS OF LIBFUZZER] [CORPUS…]`.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<Arguments>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

private typealias Arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

/// The file that each input is written to, for readers of files.
private let inputPath = "/dev/shm/rrdata-fuzz-\(getpid())"

nonisolated(unsafe) private var chosen: FuzzedReader?

/// What libFuzzer's own `main` looks for; it is not called here.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let chosen else { return 0 }
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    let descriptor = open(inputPath, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    guard descriptor >= 0, write(descriptor, input, count) == count else {
        fatalError("there is no room for the input at \(inputPath)")
    }
    close(descriptor)
    do {
        _ = try chosen.accepts(input, at: inputPath)
        return 0
    } catch {
        fatalError("\(error)")
    }
}

/// The entry point, by the name that SwiftPM gives an executable's.
@_cdecl("Fuzz_main")
func fuzz(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
    let name = count > 1 ? arguments[1].map { String(cString: $0) } : nil
    guard let reader = FuzzedReader.all.first(where: { $0.name == name }) else {
        print(FuzzedReader.all.map(\.name).joined(separator: "\n"))
        return name == nil ? 0 : 64
    }
    chosen = reader
    // libFuzzer starts itself anew where it merges or forks: the reader's name stays its first word, which is no flag.
    arguments[1] = arguments[0]
    var rest = arguments + 1
    var restCount = count - 1
    defer { unlink(inputPath) }
    return runFuzzer(&restCount, &rest, testOneInput)
}
