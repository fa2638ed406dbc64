internal import CPixelPlanes

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
    /// What becomes of the rows, or of the columns.
    fileprivate struct Pass {
        var windows: [rr_resampling_window] = []
        var weights: [Accumulator] = []

        init(_ axis: ResizingAxis) {
            let radius = axis.radius
            windows.reserveCapacity(axis.count)
            weights.reserveCapacity(axis.count * Int(2 * radius + 2))
            for position in 0..<axis.count {
                let (center, window) = (axis.center(position), axis.window(position))
                func share(_ source: Int) -> Double {
                    max(0, 1 - abs((Double(source) - center + 0.5) * (1 / radius)))
                }
                let sum = window.reduce(0) { $0 + share($1) }
                windows.append(
                    rr_resampling_window(
                        start: window.lowerBound, count: window.count, first_weight: weights.count))
                for source in window {
                    let weight = sum == 0 ? 0.5 : share(source) / sum * Double(1 << precision) + 0.5
                    weights.append(Accumulator(truncatingIfNeeded: Int(weight.rounded(.down))))
                }
            }
        }

        /// The source positions that any target position takes.
        var extent: Range<Int> {
            guard let first = windows.first, let last = windows.last else { return 0..<0 }
            return first.start..<last.start + last.count
        }
    }

    private static var precision: Int { RR_RESAMPLING_PRECISION }
    private static var half: Accumulator { 1 << Accumulator(precision - 1) }

    private let vertical: ResizingAxis
    private let horizontal: ResizingAxis
    private let rows: Pass
    private let columns: Pass

    init(vertical: ResizingAxis, horizontal: ResizingAxis) {
        self.vertical = vertical
        self.horizontal = horizontal
        (rows, columns) = (Pass(vertical), Pass(horizontal))
    }

    /// Resamples a plane.
    ///
    /// - Parameters:
    ///   - rowLength: the target's samples in a row, of which those that the axis covers are written.
    @specialized(where Sample == UInt16, Accumulator == Int64)
    func resample(
        _ plane: UnsafeBufferPointer<Sample>, into target: UnsafeMutableBufferPointer<Sample>, rowLength: Int
    ) {
        let (width, count) = (horizontal.extent, horizontal.count)
        precondition(plane.count == vertical.extent * width)
        precondition(target.count >= (vertical.first + vertical.count) * rowLength)
        let sourceRows = rows.extent
        withUnsafeTemporaryAllocation(of: Sample.self, capacity: sourceRows.count * count) { narrow in
            for row in sourceRows {
                let source = row * width
                let start = (row - sourceRows.lowerBound) * count
                for (column, window) in columns.windows.enumerated() {
                    var sum = Self.half
                    for tap in 0..<window.count {
                        sum &+=
                            Accumulator(truncatingIfNeeded: plane[source + window.start + tap])
                            &* columns.weights[window.first_weight + tap]
                    }
                    narrow[start + column] = Self.sample(sum)
                }
            }
            withUnsafeTemporaryAllocation(of: Accumulator.self, capacity: count) { sums in
                for (row, window) in rows.windows.enumerated() {
                    sums.update(repeating: Self.half)
                    for tap in 0..<window.count {
                        let weight = rows.weights[window.first_weight + tap]
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

extension Resampler where Sample == UInt8, Accumulator == Int32 {
    /// Resamples planes as `resample(_:into:rowLength:)` does each, by the processor's vectors.
    ///
    /// - Parameters:
    ///   - planes: `planeCount` planes, one after another.
    ///   - targetSize: the samples of a target plane.
    ///   - isWide: whether the processor has the widest vectors.
    func resampleBytes(
        _ planes: UnsafeBufferPointer<UInt8>, planeCount: Int, into target: UnsafeMutableBufferPointer<UInt8>,
        targetSize: Int, rowLength: Int, byWideVectors isWide: Bool = rr_has_wide_resampling()
    ) {
        let (width, count, sourceRows) = (horizontal.extent, horizontal.count, rows.extent)
        let planeSize = vertical.extent * width
        precondition(planes.count == planeCount * planeSize && target.count == planeCount * targetSize)
        precondition(targetSize >= (vertical.first + vertical.count) * rowLength)
        guard let source = planes.baseAddress, let target = target.baseAddress else { return }
        let narrowSize = sourceRows.count * count
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: planeCount * narrowSize) { narrow in
            guard let narrow = narrow.baseAddress else { return }
            let firstRow = source + sourceRows.lowerBound * width
            let workspaceSize = rr_resampling_workspace(width, count)
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: workspaceSize) { workspace in
                columns.withAxis { axis in
                    guard
                        !isWide
                            || !rr_resample_columns_wide(
                                firstRow, planeCount, planeSize, sourceRows.count, width, axis,
                                workspace.baseAddress, narrow)
                    else { return }
                    rr_resample_columns(
                        firstRow, planeCount, planeSize, sourceRows.count, width, axis,
                        workspace.baseAddress, narrow)
                }
            }
            rows.withAxis { axis in
                let resampleRows = isWide ? rr_resample_rows_wide : rr_resample_rows
                let start = vertical.first * rowLength + horizontal.first
                for plane in 0..<planeCount {
                    resampleRows(
                        narrow + plane * narrowSize, count, axis, sourceRows.lowerBound,
                        target + plane * targetSize + start, rowLength)
                }
            }
        }
    }
}

extension Resampler.Pass where Accumulator == Int32 {
    fileprivate func withAxis(_ body: (rr_resampling_axis) -> Void) {
        windows.withUnsafeBufferPointer { windows in
            weights.withUnsafeBufferPointer { weights in
                body(
                    rr_resampling_axis(
                        windows: windows.baseAddress, weights: weights.baseAddress, count: windows.count))
            }
        }
    }
}
