/// Resamples planes with a triangle filter as wide as the target's pixels, which is linear interpolation where an
/// image grows and antialiased where it shrinks.
///
/// The arithmetic is that of Pillow's `Image.resize(…, BILINEAR)` (`Resample.c`), of which the result is at most one
/// step off: weights rounded to 22 binary places, columns first, rows then, each pass rounded to whole samples.
///
/// `Accumulator` holds a sample times 2²² with room for the sign.
struct Resampler<Sample, Accumulator>
where
    Sample: FixedWidthInteger & UnsignedInteger & BitwiseCopyable,
    Accumulator: FixedWidthInteger & SignedInteger & BitwiseCopyable
{
    /// The source positions that count for a target position, and their weights in `weights`.
    private struct Window {
        let start: Int
        let count: Int
        let firstWeight: Int
    }

    private static var precision: Int { 22 }
    private static var half: Accumulator { 1 << 21 }

    private let vertical: ResizingAxis
    private let horizontal: ResizingAxis

    init(vertical: ResizingAxis, horizontal: ResizingAxis) {
        self.vertical = vertical
        self.horizontal = horizontal
    }

    private static func windows(of axis: ResizingAxis) -> (windows: [Window], weights: [Accumulator]) {
        // A filter narrower than the source's pixels would pass over some of them.
        let radius = max(axis.scale, 1)
        var (windows, weights): ([Window], [Accumulator]) = ([], [])
        windows.reserveCapacity(axis.count)
        for position in 0..<axis.count {
            let center = axis.center(position)
            let start = max(0, Int(center - radius + 0.5))
            let end = min(axis.extent, Int(center + radius + 0.5))
            let shares = (start..<end).map { source in
                max(0, 1 - abs((Double(source) - center + 0.5) * (1 / radius)))
            }
            let sum = shares.reduce(0, +)
            windows.append(Window(start: start, count: shares.count, firstWeight: weights.count))
            weights += shares.map { share in
                Accumulator((sum == 0 ? 0.5 : share / sum * Double(1 << precision) + 0.5).rounded(.down))
            }
        }
        return (windows, weights)
    }

    /// Resamples a plane.
    ///
    /// - Parameters:
    ///   - rowLength: the target's samples in a row, of which those that the axis covers are written.
    @specialized(where Sample == UInt8, Accumulator == Int32)
    @specialized(where Sample == UInt16, Accumulator == Int64)
    func resample(
        _ plane: UnsafeBufferPointer<Sample>, into target: UnsafeMutableBufferPointer<Sample>, rowLength: Int
    ) {
        let (columns, columnWeights) = Self.windows(of: horizontal)
        let (rows, rowWeights) = Self.windows(of: vertical)
        guard let firstRow = rows.first, let lastRow = rows.last else { return }
        let (width, count) = (horizontal.extent, horizontal.count)
        precondition(plane.count == vertical.extent * width)
        precondition(target.count >= (vertical.first + vertical.count) * rowLength)
        let sourceRows = firstRow.start..<lastRow.start + lastRow.count
        withUnsafeTemporaryAllocation(of: Sample.self, capacity: sourceRows.count * count) { narrow in
            for row in sourceRows {
                let source = row * width
                let start = (row - sourceRows.lowerBound) * count
                for (column, window) in columns.enumerated() {
                    var sum = Self.half
                    for tap in 0..<window.count {
                        sum &+=
                            Accumulator(truncatingIfNeeded: plane[source + window.start + tap])
                            &* columnWeights[window.firstWeight + tap]
                    }
                    narrow[start + column] = Self.sample(sum)
                }
            }
            withUnsafeTemporaryAllocation(of: Accumulator.self, capacity: count) { sums in
                for (row, window) in rows.enumerated() {
                    sums.update(repeating: Self.half)
                    for tap in 0..<window.count {
                        let weight = rowWeights[window.firstWeight + tap]
                        let source = (window.start + tap - sourceRows.lowerBound) * count
                        for column in 0..<count {
                            sums[column] &+=
                                Accumulator(truncatingIfNeeded: narrow[source + column]) &* weight
                        }
                    }
                    let start = (vertical.first + row) * rowLength + horizontal.first
                    for column in 0..<count { target[start + column] = Self.sample(sums[column]) }
                }
            }
        }
    }

    private static func sample(_ sum: Accumulator) -> Sample {
        Sample(truncatingIfNeeded: min(Accumulator(Sample.max), max(0, sum >> Accumulator(precision))))
    }
}
