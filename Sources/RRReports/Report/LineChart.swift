internal import Glibc
internal import RRFormats

/// A line of a chart.
struct ChartLine {
    /// Text of whatever origin.
    let name: String
    /// By ascending x; those that are not finite are left out.
    let points: [(x: Double, y: Double)]

    init(_ name: String, _ points: [(x: Double, y: Double)]) {
        self.name = name
        self.points = points.filter { $0.x.isFinite && $0.y.isFinite }
    }
}

/// Lines over steps or epochs, as SVG inside a page.
///
/// Thousands of steps are shown by their means and, as a band, from the least to the largest of each stretch. The values of a
/// stretch stand in its title, which a pointer that rests there shows.
struct LineChart {
    /// What y is, and where that needs saying how it is measured; text.
    let title: String
    /// What x is: `step`.
    let xName: String
    let lines: [ChartLine]
    /// How a value of y is written.
    var value: (Double) -> String = { Figure.text($0) }
    /// How a value of x is written.
    var xText: (Double) -> String = { "\(Int($0))" }
    /// Whether y is shown by its logarithm, where all of it is above 0 and goes over more than two orders of magnitude.
    var maySpanOrders = true

    private static let (width, height) = (440.0, 260.0)
    private static let (left, right, top, bottom) = (58.0, 12.0, 12.0, 44.0)
    /// The stretches that lines are drawn by, and those that tell their values.
    private static let (mostStretches, mostTitles) = (200, 40)

    /// The chart; nil where no line has two values.
    var unlessConstant: LineChart? {
        lines.contains { line in line.points.contains { $0.y != line.points.first?.y } } ? self : nil
    }

    /// The chart with its legend; nothing where there is not a single point.
    func html() -> String {
        // A line looks by its place among all, so that a run does in every chart, also where another has nothing to show.
        let looks = self.lines.indices.filter { !self.lines[$0].points.isEmpty }
        let lines = looks.map { self.lines[$0] }
        guard let frame = Frame(lines, maySpanOrders: maySpanOrders) else { return "" }
        let body = grid(frame) + zip(lines, looks).map { draw($0, look: $1, in: frame) }.joined()
        let summary = lines.map { "\($0.name): \(range(of: $0))" }.joined(separator: "; ")
        return """
            <figure class="chart"><figcaption>\(Markup.escaped(title))</figcaption>
            <svg viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" role="img" \
            aria-label="\(Markup.escaped((title + " over " + xName + "s. " + summary).legible))">
            \(body)\(titles(lines, in: frame))</svg>
            \(legend(lines, looks: looks))</figure>

            """
    }

    /// `from 2.3 to 0.41 in 75 steps`; of a line that stays where it is `2.3`.
    private func range(of line: ChartLine) -> String {
        guard let first = line.points.first, let last = line.points.last else { return "" }
        return line.points.allSatisfy { $0.y == first.y }
            ? value(last.y) : "from \(value(first.y)) to \(value(last.y)) in \(line.points.count) \(xName)s"
    }

    private func legend(_ lines: [ChartLine], looks: [Int]) -> String {
        let items = zip(lines, looks).map { line, number in
            let look = number % PageStyle.lineLooks
            return
                "<li><svg viewBox=\"0 0 32 12\" aria-hidden=\"true\"><path class=\"line s\(look)\" d=\"M0 6H32\"/></svg>"
                + "\(Markup.name(line.name)): \(Markup.escaped(range(of: line)))</li>"
        }
        return "<ul class=\"legend\">\(items.joined())</ul>"
    }

    /// Where values are in the picture.
    private struct Frame {
        let x: ClosedRange<Double>
        let y: ClosedRange<Double>
        let isLogarithmic: Bool

        init?(_ lines: [ChartLine], maySpanOrders: Bool) {
            let points = lines.flatMap(\.points)
            guard let least = points.map(\.y).min(), let largest = points.map(\.y).max(),
                let first = points.map(\.x).min(), let last = points.map(\.x).max()
            else { return nil }
            isLogarithmic = maySpanOrders && least > 0 && largest / least > 100
            x = first...(last > first ? last : first + 1)
            if isLogarithmic {
                y = log10(least)...log10(largest)
            } else {
                let low = least >= 0 && least < largest / 2 ? 0 : least
                let room = low == largest ? max(abs(low) / 2, low == 0 ? 0.5 : 0) : 0
                y = low - room...largest + room
            }
        }

        func column(_ value: Double) -> Double {
            LineChart.left + (value - x.lowerBound) / (x.upperBound - x.lowerBound)
                * (LineChart.width - LineChart.left - LineChart.right)
        }

        func row(_ value: Double) -> Double {
            let shown = isLogarithmic ? log10(value) : value
            return LineChart.height - LineChart.bottom - (shown - y.lowerBound)
                / (y.upperBound - y.lowerBound) * (LineChart.height - LineChart.top - LineChart.bottom)
        }

        /// The values that lines of the grid are at.
        var rows: [Double] {
            guard isLogarithmic else { return LineChart.ticks(y, count: 5) }
            let decades =
                Int(
                    y.lowerBound.rounded(.up))...max(
                    Int(y.lowerBound.rounded(.up)), Int(y.upperBound.rounded(.down)))
            let step = max(1, decades.count / 6)
            return decades.filter { ($0 - decades.lowerBound) % step == 0 && Double($0) <= y.upperBound }
                .map { pow(10, Double($0)) }
        }
    }

    /// Round numbers within a range: 1, 2 or 5 times a power of ten apart.
    static func ticks(_ range: ClosedRange<Double>, count: Int) -> [Double] {
        let rough = (range.upperBound - range.lowerBound) / Double(count)
        let power = pow(10, log10(rough).rounded(.down))
        let step = ([1, 2, 5, 10].first { $0 * power >= rough } ?? 10) * power
        let (first, last) = ((range.lowerBound / step).rounded(.up), (range.upperBound / step).rounded(.down))
        guard first <= last else { return [] }
        return stride(from: first, through: last, by: 1).map { $0 * step }
    }

    private func grid(_ frame: Frame) -> String {
        var text = ""
        let (bottom, end) = (Self.height - Self.bottom, Self.width - Self.right)
        for tick in frame.rows {
            let row = Self.text(frame.row(tick))
            text += "<path class=\"grid\" d=\"M\(Self.text(Self.left)) \(row)H\(Self.text(end))\"/>"
            text +=
                "<text x=\"\(Self.text(Self.left - 6))\" y=\"\(Self.text(frame.row(tick) + 4))\" text-anchor=\"end\">\(Markup.escaped(value(tick)))</text>\n"
        }
        text += "<path class=\"axis\" d=\"M\(Self.text(Self.left)) \(Self.text(bottom))H\(Self.text(end))\"/>"
        for tick in Self.ticks(frame.x, count: 5) where tick == tick.rounded() {
            text +=
                "<text x=\"\(Self.text(frame.column(tick)))\" y=\"\(Self.text(bottom + 16))\" text-anchor=\"middle\">\(Markup.escaped(xText(tick)))</text>\n"
        }
        let middle = (Self.left + end) / 2
        text +=
            "<text x=\"\(Self.text(middle))\" y=\"\(Self.text(Self.height - 8))\" text-anchor=\"middle\">\(Markup.escaped(xName))</text>\n"
        return text
    }

    /// The points of a stretch: from where, how many, their least, mean and largest.
    private struct Stretch {
        let x: Double
        let least: Double
        let mean: Double
        let largest: Double

        init(_ points: ArraySlice<(x: Double, y: Double)>) {
            x = points.reduce(0) { $0 + $1.x } / Double(points.count)
            mean = points.reduce(0) { $0 + $1.y } / Double(points.count)
            least = points.map(\.y).min() ?? mean
            largest = points.map(\.y).max() ?? mean
        }
    }

    private static func stretches(_ line: ChartLine, most: Int) -> [Stretch] {
        let size = (line.points.count + most - 1) / most
        return stride(from: 0, to: line.points.count, by: size).map {
            Stretch(line.points[$0..<min($0 + size, line.points.count)])
        }
    }

    private func draw(_ line: ChartLine, look number: Int, in frame: Frame) -> String {
        let look = number % PageStyle.lineLooks
        let stretches = Self.stretches(line, most: Self.mostStretches)
        func path(_ points: some Sequence<(Double, Double)>) -> String {
            points.enumerated().map { "\($0 == 0 ? "M" : "L")\(Self.text($1.0)) \(Self.text($1.1))" }.joined()
        }
        var text = ""
        if line.points.count > Self.mostStretches {
            let above = stretches.map { (frame.column($0.x), frame.row($0.largest)) }
            let below = stretches.reversed().map { (frame.column($0.x), frame.row($0.least)) }
            text += "<path class=\"band f\(look)\" d=\"\(path(above + below))Z\"/>\n"
        }
        text +=
            "<path class=\"line s\(look)\" d=\"\(path(stretches.map { (frame.column($0.x), frame.row($0.mean)) }))\"/>\n"
        // A line of one point is none, and of few the points are what was measured.
        if stretches.count <= 20 {
            for stretch in stretches {
                text +=
                    "<circle class=\"dot f\(look)\" r=\"3\" cx=\"\(Self.text(frame.column(stretch.x)))\" cy=\"\(Self.text(frame.row(stretch.mean)))\"/>"
            }
        }
        return text
    }

    /// What stands in each stretch, of all lines.
    private func titles(_ lines: [ChartLine], in frame: Frame) -> String {
        let longest = lines.map(\.points.count).max() ?? 0
        let count = max(1, min(longest, Self.mostTitles))
        let width = (frame.x.upperBound - frame.x.lowerBound) / Double(count)
        let pixels = (Self.width - Self.left - Self.right) / Double(count)
        var text = ""
        for number in 0..<count {
            let (low, high) = (
                frame.x.lowerBound + Double(number) * width, frame.x.lowerBound + Double(number + 1) * width
            )
            let isLast = number == count - 1
            let parts = lines.compactMap {
                line -> (name: String, points: ArraySlice<(x: Double, y: Double)>)? in
                let points = line.points.filter { $0.x >= low && ($0.x < high || isLast) }
                return points.isEmpty ? nil : (line.name, points[...])
            }
            guard let first = parts.flatMap(\.points).map(\.x).min(),
                let last = parts.flatMap(\.points).map(\.x).max()
            else { continue }
            let head =
                first == last ? "\(xName) \(xText(first))" : "\(xName)s \(xText(first)) to \(xText(last))"
            let values = parts.map { part -> String in
                let stretch = Stretch(part.points)
                let range =
                    stretch.least < stretch.largest
                    ? " (\(value(stretch.least)) to \(value(stretch.largest)))" : ""
                return "\n\(part.name.legible): \(value(stretch.mean))\(range)"
            }
            text +=
                "<rect class=\"hover\" x=\"\(Self.text(Self.left + Double(number) * pixels))\" y=\"\(Self.text(Self.top))\" "
                + "width=\"\(Self.text(pixels))\" height=\"\(Self.text(Self.height - Self.top - Self.bottom))\">"
                + "<title>\(Markup.escaped(head + values.joined()))</title></rect>\n"
        }
        return text
    }

    /// A coordinate with one digit after the point.
    private static func text(_ coordinate: Double) -> String {
        let tenths = Int((coordinate * 10).rounded())
        return tenths % 10 == 0
            ? "\(tenths / 10)" : "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }
}
