import RRFormats
import TestSupport
import Testing

@Suite("Checksums")
struct ChecksumTests {
    @Test("CRC-32 gives the check value of its catalogue")
    func crc32() {
        let bytes = Array("123456789".utf8)
        #expect(bytes.withUnsafeBytes { CRC32.checksum(of: $0) } == 0xCBF4_3926)
        #expect(CRC32.checksum(of: UnsafeRawBufferPointer(start: nil, count: 0)) == 0)
    }

    private static let castagnoli: [([UInt8], UInt32)] = [
        (Array(repeating: 0, count: 32), 0x8A91_36AA), (Array(repeating: 0xFF, count: 32), 0x62A8_AB43),
        (Array(0..<32), 0x46DD_794E), (Array((0..<32).reversed()), 0x113F_DB5C),
        (Array("123456789".utf8), 0xE306_9283), ([], 0),
    ]

    @Test(
        "CRC-32C gives the examples of RFC 3720, B.4, and the check value of its catalogue",
        arguments: castagnoli)
    func crc32c(bytes: [UInt8], checksum: UInt32) {
        #expect(CRC32C.checksum(of: bytes) == checksum)
    }

    @Test(
        "SHA-256 gives the examples of FIPS 180-4, in pieces of any size",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func sha256(text: String, digest: String) {
        for size in [1, 3, 64] {
            var hasher = SHA256Hasher()
            let bytes = Array(text.utf8)
            for start in stride(from: 0, to: bytes.count, by: size) {
                bytes[start..<min(start + size, bytes.count)].withUnsafeBytes { hasher.update($0) }
            }
            #expect(hasher.finalize() == digest)
        }
    }

    @Test(
        "the SHA-256 of a file is that of its bytes, whatever its size",
        arguments: [0, 1_000_000, 1 << 20, 2_500_001])
    func sha256OfFile(count: Int) throws {
        let folder = try TemporaryFolder()
        let bytes = Array(repeating: UInt8(ascii: "a"), count: count)
        try folder.write(bytes, to: "file")
        let found = try SHA256Hasher.hash(ofFileAt: folder.path("file"))
        var hasher = SHA256Hasher()
        bytes.withUnsafeBytes { hasher.update($0) }
        let digest = hasher.finalize()
        #expect(found == digest)
        // The third example of FIPS 180-4.
        if count == 1_000_000 {
            #expect(found == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
        }
        #expect(throws: FormatError.self) { try SHA256Hasher.hash(ofFileAt: folder.path("no")) }
    }
}
