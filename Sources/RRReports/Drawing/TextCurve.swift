/// Values over time as a line of text: `▁▃▆█`.
package enum TextCurve {
    private static let blocks = Array("▁▂▃▄▅▆▇█")

    /// The curve from the least value, the lowest block, to the largest; of many values the means of stretches.
    ///
    /// - Parameters:
    ///   - values: those that are not finite are left out.
    ///   - width: the largest number of blocks, at least 1.
    package static func text(of values: [Double], width: Int = 48) -> String {
        let values = values.filter(\.isFinite)
        let size = max(1, (values.count + width - 1) / max(1, width))
        let means = stride(from: 0, to: values.count, by: size).map { start in
            let stretch = values[start..<min(start + size, values.count)]
            return stretch.reduce(0) { $0 + $1 / Double(stretch.count) }
        }
        guard let least = means.min(), let largest = means.max() else { return "" }
        return String(
            means.map { mean in
                guard largest > least else { return blocks[0] }
                return blocks[min(7, Int((mean - least) / (largest - least) * 8))]
            })
    }
}
