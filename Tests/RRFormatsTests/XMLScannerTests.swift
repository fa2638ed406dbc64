import RRFormats
import TestSupport
import Testing

@Suite("XML and Base64")
struct XMLScannerTests {
    func events(_ text: String) throws -> [String] {
        var events: [String] = []
        try XMLScanner.scan(Array(text.utf8), path: "a.xml") { event in
            switch event {
            case .start(let element):
                let attributes = element.attributes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
                events.append("<\(element.name) \(attributes.joined(separator: " "))>\(element.line)")
            case .text(let text): events.append(text)
            case .end(let name): events.append("</\(name)>")
            }
        }
        return events
    }

    @Test("elements come with their attributes and lines, text between them, references resolved")
    func walks() throws {
        let text = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<a>\n<b x=\"1 &lt; 2\" y='é'/>t&amp;u</a>"
        let found = try events(text)
        #expect(found.first == "<a >2" && found.contains("<b x=1 < 2 y=é>3"))
        #expect(found.filter { !$0.hasPrefix("<") }.joined() == "\nt&u" && found.last == "</a>")
    }

    @Test(
        "what is no XML, or declares entities or a type, is refused",
        arguments: [
            ("", "no element found"), ("<a>", "no element found"), ("<a></b>", "mismatched tag"),
            ("<a/><b/>", "junk"), ("<a>&nbsp;</a>", "undefined entity"), ("<a x='1' x='2'/>", "duplicate"),
            ("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", "document type"),
            ("<!DOCTYPE a [<!ENTITY b \"cc\"><!ENTITY d \"&b;&b;\">]><a>&d;</a>", "document type"),
        ])
    func refused(text: String, hint: String) throws {
        let error = #expect(throws: FormatError.self) { try events(text) }
        #expect(error?.code == .malformed && error?.message.contains(hint) == true, "\(error?.message ?? "")")
    }

    @Test("what the caller throws ends the walk")
    func stops() throws {
        struct Stop: Error {}
        var count = 0
        #expect(throws: Stop.self) {
            try XMLScanner.scan(Array("<a><b/><c/></a>".utf8), path: "a.xml") { _ in
                count += 1
                if count == 2 { throw Stop() }
            }
        }
        #expect(count == 2)
    }

    @Test("a file of many pieces is read whole, and a million levels need no stack")
    func large() throws {
        let (depth, count) = (200_000, 300_000)
        var found = 0
        let text =
            String(repeating: "<a>", count: depth) + String(repeating: "<b/>", count: count)
            + String(repeating: "</a>", count: depth)
        try XMLScanner.scan(Array(text.utf8), path: "a.xml") { event in
            if case .start = event { found += 1 }
        }
        #expect(found == depth + count)
    }

    @Test("Base64 gives the bytes, and nil for what is none")
    func base64() {
        let cases: [(String, String?)] = [
            ("", ""), ("TQ==", "M"), ("TWE=", "Ma"), ("TWFu", "Man"), ("TW\nFu TWE=\r\n", "ManMa"),
            ("TQ", nil),
            ("TQ=A", nil), ("T===", nil), ("====", nil), ("T!Fu", nil), ("TQ==TQ==", nil), ("é", nil),
        ]
        for (text, expected) in cases {
            #expect(Base64.bytes(of: text) == expected.map { Array($0.utf8) }, "\(text)")
        }
    }
}
