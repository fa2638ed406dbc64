internal import RRFormats

/// A page that has all it needs within itself.
///
/// Its policy lets nothing run and nothing be fetched: no script at all, this one style sheet, known by its hash, and pictures that
/// are in the page. What names of whatever origin say can do nothing there, even where escaping were wrong.
struct HTMLPage {
    /// What stands in the tab and as the heading.
    let title: String
    /// The sections, in order.
    private var sections: [(id: String, title: String, body: String)] = []

    init(title: String) { self.title = title }

    /// Adds a section.
    ///
    /// - Parameters:
    ///   - id: letters, by which it is linked.
    ///   - title: text.
    ///   - body: HTML.
    mutating func add(_ id: String, _ title: String, _ body: String) {
        sections.append((id, title, body))
    }

    func html() -> String {
        let title = Markup.escaped(title.legible)
        let links = sections.map {
            "<li><a href=\"#\($0.id)\">\(Markup.escaped($0.title))</a></li>"
        }.joined()
        let bodies = sections.map { section in
            """
            <section id="\(section.id)" aria-labelledby="\(section.id)-title">
            <h2 id="\(section.id)-title">\(Markup.escaped(section.title))</h2>
            \(section.body)
            </section>

            """
        }.joined()
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="\(Self.policy)">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="generator" content="\(Release.name)">
            <title>\(title)</title>
            <style>\(PageStyle.text)</style>
            </head>
            <body>
            <header>
            <h1>\(title)</h1>
            <nav aria-label="Sections"><ul>\(links)</ul></nav>
            </header>
            <main>
            \(bodies)</main>
            <footer><p>Drawn by \(Release.name). Nothing in this page is fetched from elsewhere.</p></footer>
            </body>
            </html>

            """
    }

    static let policy =
        "default-src 'none'; style-src 'sha256-\(styleHash)'; img-src data:; base-uri 'none'; form-action 'none'"

    private static let styleHash: String = {
        var hasher = SHA256Hasher()
        Array(PageStyle.text.utf8).withUnsafeBytes { hasher.update($0) }
        let digits = Array(hasher.finalize())
        let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(digits[$0...$0 + 1]), radix: 16)
        }
        return Base64.text(of: bytes)
    }()
}

/// The parts that sections are made of; all take text, and HTML where their names say so.
enum PageParts {
    static func paragraph(_ text: String) -> String { "<p>\(Markup.escaped(text))</p>\n" }

    /// A table that scrolls by itself where the page is narrow, and can be scrolled by the keyboard.
    ///
    /// - Parameters:
    ///   - caption: text.
    ///   - header: HTML of each column's head.
    ///   - rows: HTML of each cell; the first is the row's head.
    ///   - endsWithText: whether the last column is sentences, which begin on the left, as its head does.
    static func table(
        caption: String, header: [String], rows: [[String]], endsWithText: Bool = false
    ) -> String {
        let name = Markup.escaped(caption.legible)
        let head = header.enumerated().map { place, title in
            let isText = endsWithText && place == header.count - 1
            return title.isEmpty
                ? "<td></td>" : "<th scope=\"col\"\(isText ? " class=\"text\"" : "")>\(title)</th>"
        }.joined()
        let body = rows.map { row in
            let cells = row.dropFirst().enumerated().map { place, cell in
                endsWithText && place == row.count - 2
                    ? "<td class=\"text\">\(cell)</td>" : "<td>\(unbroken(cell))</td>"
            }
            return "<tr><th scope=\"row\">\(row.first ?? "")</th>\(cells.joined())</tr>\n"
        }.joined()
        return """
            <div class="wide" role="region" aria-label="\(name)" tabindex="0">
            <table><caption>\(name)</caption><thead><tr>\(head)</tr></thead>
            <tbody>\(body)</tbody></table></div>

            """
    }

    /// A cell whose percentages stay on one line with their sign, however narrow its column is.
    private static func unbroken(_ cell: String) -> String {
        cell.replacing(" %", with: "\u{A0}%")
    }

    /// Something that is looked at seldom.
    ///
    /// - Parameter body: HTML.
    static func details(_ summary: String, body: String) -> String {
        "<details><summary>\(Markup.escaped(summary))</summary>\n\(body)</details>\n"
    }

    /// Text that keeps its lines, and scrolls by itself.
    static func code(_ text: String, named name: String) -> String {
        "<pre tabindex=\"0\" role=\"region\" aria-label=\"\(Markup.escaped(name.legible))\"><code>"
            + Markup.escaped(text.escaped(keepingLines: true)) + "</code></pre>\n"
    }

    /// A picture with a caption.
    ///
    /// - Parameter caption: HTML.
    static func picture(
        _ panel: PixelPanel, description: String, caption: String = ""
    ) throws(FormatError) -> String {
        let image =
            "<img src=\"\(Markup.dataAddress(ofPNG: try panel.png()))\" width=\"\(panel.width)\" height=\"\(panel.height)\" "
            + "alt=\"\(Markup.escaped(description.legible))\">"
        return caption.isEmpty
            ? "<figure>\(image)</figure>" : "<figure>\(image)<figcaption>\(caption)</figcaption></figure>"
    }
}
