package import RRDatasets
package import RRFormats

/// Pictures and lines of text, each in its place: drawn as pixels or written as SVG.
package struct Sheet: Sendable {
    package enum Item: Sendable {
        /// - Parameter description: what it shows, for those who cannot see it.
        case panel(PixelPanel, x: Int, y: Int, description: String)
        case text(String, x: Int, y: Int, width: Int, color: RGBColor)
    }

    package private(set) var width = 0
    package private(set) var height = 0
    package private(set) var items: [Item] = []
    /// What the sheet is, for those who cannot see it.
    package let title: String

    package init(title: String) { self.title = title }

    package mutating func add(_ panel: PixelPanel, x: Int, y: Int, description: String) {
        items.append(.panel(panel, x: x, y: y, description: description))
        (width, height) = (max(width, x + panel.width), max(height, y + panel.height))
    }

    /// Adds a line of text that is cut where it is wider than there is room.
    package mutating func add(
        _ text: String, x: Int, y: Int, width room: Int, color: RGBColor = Palette.ink
    ) {
        items.append(.text(text, x: x, y: y, width: room, color: color))
        (width, height) = (max(width, x + room), max(height, y + TextLine.height))
    }

    /// The white around all.
    package static let margin = 16

    /// Draws the sheet.
    package func pixels() -> PixelPanel {
        var panel = PixelPanel(width: width + Self.margin, height: height + Self.margin)
        for item in items {
            switch item {
            case .panel(let picture, let x, let y, _): panel.place(picture, x: x, y: y)
            case .text(let text, let x, let y, let room, let color):
                TextLine(text, fitting: room).draw(on: &panel, x: x, y: y, color: color)
            }
        }
        return panel
    }

    /// Writes the sheet as SVG, whose text is the viewer's: it may be searched and copied, in every script that there is.
    ///
    /// - Throws: `FormatError` with the code `unsupported` where a panel is too large for a PNG.
    package func svg() throws(FormatError) -> String {
        let size = (width + Self.margin, height + Self.margin)
        var text = """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(size.0) \(size.1)" width="\(size.0)" \
            height="\(size.1)" role="img" aria-label="\(Markup.escaped(title))" \
            font-family="ui-monospace, 'DejaVu Sans Mono', monospace" font-size="13">
            <title>\(Markup.escaped(title))</title>
            <rect width="100%" height="100%" fill="#\(Palette.paper.hexadecimal)"/>

            """
        for item in items {
            switch item {
            case .panel(let picture, let x, let y, let description):
                let name = Markup.escaped(description)
                text += """
                    <image x="\(x)" y="\(y)" width="\(picture.width)" height="\(picture.height)" \
                    image-rendering="pixelated" href="\(Markup.dataAddress(ofPNG: try picture.png()))">\
                    <title>\(name)</title></image>

                    """
            case .text(let line, let x, let y, let room, let color):
                // 13 pixels high letters are 8 wide in a font whose letters are all of one width.
                let shown = Markup.escaped(line.legible.cut(to: room / 8))
                text +=
                    "<text x=\"\(x)\" y=\"\(y + 13)\" fill=\"#\(color.hexadecimal)\" unicode-bidi=\"isolate\">\(shown)</text>\n"
            }
        }
        return text + "</svg>\n"
    }
}

extension String {
    /// The first and last characters of a text that has more than a number of them, with `…` between.
    package func cut(to count: Int) -> String {
        guard self.count > count else { return self }
        guard count > 1 else { return count == 1 ? "…" : "" }
        return prefix(count / 2) + "…" + suffix((count - 1) / 2)
    }
}
