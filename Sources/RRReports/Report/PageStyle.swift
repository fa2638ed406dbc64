/// How pages look.
enum PageStyle {
    /// The looks of a line in a chart, `s0`, `s1`, …: a colour and dashes, so that colour alone tells nothing.
    static let lineLooks = 6

    /// The style sheet, `page.css`.
    static let text = String(decoding: PackageResources.page_css, as: UTF8.self)
}
