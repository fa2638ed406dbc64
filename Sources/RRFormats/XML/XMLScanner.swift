internal import CExpat

/// Walks through the elements of an XML file by Expat.
///
/// Nothing outside of the file is ever read, and a document type declaration, which alone brings entities of its own, is
/// refused: none of the programs whose files are read here writes one.
package struct XMLScanner {
    /// An element that begins.
    package struct Element: Sendable {
        package let name: String
        package let attributes: [String: String]
        /// The line of the file, from 1.
        package let line: Int
    }

    /// What the file is made of, in order.
    package enum Event: Sendable {
        case start(Element)
        /// A piece of text; what stands between two elements may come in several.
        case text(String)
        case end(name: String)
    }

    /// Calls a body with each event of a file.
    ///
    /// - Parameter bytes: the whole file, in UTF-8, UTF-16, ISO 8859-1 or ASCII as it says itself.
    /// - Throws: `FormatError` with the code `malformed` for what is no XML or has a document type declaration, and what
    ///   the body throws.
    package static func scan(_ bytes: [UInt8], path: String, _ body: @escaping (Event) throws -> Void) throws
    {
        guard let parser = XML_ParserCreate(nil) else {
            throw FormatError(.cannotRead, path: path, "there is no memory for a parser of XML")
        }
        defer { XML_ParserFree(parser) }
        let walk = Walk(parser, body)
        try withExtendedLifetime(walk) {
            XML_SetUserData(parser, Unmanaged.passUnretained(walk).toOpaque())
            XML_SetElementHandler(
                parser,
                { data, name, attributes in
                    guard let walk = Walk.of(data), let name else { return }
                    walk.start(name, attributes)
                },
                { data, name in
                    guard let walk = Walk.of(data), let name else { return }
                    walk.tell(.end(name: String(cString: name)))
                })
            XML_SetCharacterDataHandler(parser) { data, text, count in
                guard let walk = Walk.of(data), let text else { return }
                let bytes = UnsafeRawBufferPointer(start: text, count: Int(count))
                walk.tell(.text(String(decoding: bytes, as: UTF8.self)))
            }
            XML_SetStartDoctypeDeclHandler(parser) { data, _, _, _, _ in
                Walk.of(data)?.refuseDeclaration()
            }
            // Expat counts in 32 bits.
            let piece = 1 << 20
            for start in stride(from: 0, through: bytes.count, by: piece) {
                let end = min(start + piece, bytes.count)
                let status = bytes.withUnsafeBytes { bytes in
                    XML_Parse(
                        parser, bytes.baseAddress?.advanced(by: start).assumingMemoryBound(to: CChar.self),
                        Int32(end - start), end == bytes.count ? 1 : 0)
                }
                if let failure = walk.failure { throw failure }
                guard status == XML_STATUS_OK else {
                    let message =
                        walk.hasDeclaration
                        ? "there is a document type declaration, which is not read"
                        : XML_ErrorString(XML_GetErrorCode(parser)).map { String(cString: $0) } ?? "no XML"
                    throw FormatError(
                        .malformed, path: path,
                        "this is no sound XML: line \(XML_GetCurrentLineNumber(parser)): \(message)")
                }
                if end == bytes.count { return }
            }
        }
    }

    /// What the callbacks share; one thread uses it, while `scan` runs.
    private final class Walk {
        private let parser: XML_Parser
        private let body: (Event) throws -> Void
        private(set) var failure: (any Error)?
        private(set) var hasDeclaration = false

        init(_ parser: XML_Parser, _ body: @escaping (Event) throws -> Void) {
            (self.parser, self.body) = (parser, body)
        }

        static func of(_ data: UnsafeMutableRawPointer?) -> Walk? {
            data.map { Unmanaged<Walk>.fromOpaque($0).takeUnretainedValue() }
        }

        func start(
            _ name: UnsafePointer<XML_Char>, _ list: UnsafeMutablePointer<UnsafePointer<XML_Char>?>?
        ) {
            var attributes: [String: String] = [:]
            var position = 0
            while let list, let key = list[position], let value = list[position + 1] {
                attributes[String(cString: key)] = String(cString: value)
                position += 2
            }
            tell(
                .start(
                    Element(
                        name: String(cString: name), attributes: attributes,
                        line: Int(XML_GetCurrentLineNumber(parser)))))
        }

        func tell(_ event: Event) {
            guard failure == nil else { return }
            do { try body(event) } catch {
                failure = error
                XML_StopParser(parser, 0)
            }
        }

        func refuseDeclaration() {
            hasDeclaration = true
            XML_StopParser(parser, 0)
        }
    }
}
