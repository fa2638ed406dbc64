import Testing

@testable import RRReports

@Suite("curves of text")
struct TextCurveTests {
    @Test(
        "blocks rise with the values, and many are drawn by their means",
        arguments: [
            ([0.0, 1, 2, 3, 4, 5, 6, 7, 8], 9, "▁▂▃▄▅▆▇██"), ([8, 0], 9, "█▁"), ([5, 5, 5], 9, "▁▁▁"),
            ([], 9, ""),
            ([.nan, 1, .infinity, 2], 9, "▁█"), ([0, 2, 4, 6, 10, 12], 3, "▁▄█"),
        ])
    func blocks(values: [Double], width: Int, expected: String) {
        #expect(TextCurve.text(of: values, width: width) == expected)
    }
}
