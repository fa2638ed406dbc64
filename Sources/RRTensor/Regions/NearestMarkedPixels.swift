/// For each pixel of a plane, the nearest pixel that a mask marks.
///
/// Distances are Euclidean and exact. Of equally near pixels it is the one in the leftmost column, in that column the
/// upper one, so that the answer depends on the mask alone.
///
/// Source: Meijster, Roerdink and Hesselink, "A general algorithm for computing distance transforms in linear time", 2000,
/// which keeps whole numbers throughout; here it keeps where the minimum lies, too.
package struct NearestMarkedPixels {
    package let height: Int
    package let width: Int

    /// (H, W): the row of the nearest marked pixel of the same column; below zero in a column without one.
    private var rows: [Int32]
    /// The columns whose marked pixels are nearest to some pixel of a row, from left to right.
    private var columns: [Int32]
    /// Where each of them begins to be nearest.
    private var starts: [Int32]
    private var nearest: [Int32]

    /// - Parameters:
    ///   - height: below 2³¹, as `width`.
    package init(height: Int, width: Int) {
        self.height = height
        self.width = width
        rows = Array(repeating: 0, count: height * width)
        columns = Array(repeating: 0, count: width)
        starts = columns
        nearest = rows
    }

    /// Finds the nearest marked pixels. O(H · W).
    ///
    /// - Parameters:
    ///   - mask: `(H, W)`; what is not 0 is marked.
    ///   - body: is given, for each pixel `(H, W)`, the place of the nearest marked one, row · W + column.
    /// - Returns: what the body returns; nil where the mask marks nothing.
    package mutating func find<Result>(
        _ mask: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<Int32>) -> Result
    ) -> Result? {
        precondition(mask.count == height * width)
        guard mask.contains(where: { $0 != 0 }) else { return nil }
        findInColumns(mask)
        for row in 0..<height { findInRow(row) }
        return nearest.withUnsafeBufferPointer(body)
    }

    /// One sweep down and one up: the nearest marked pixel of each column, the upper of two.
    private mutating func findInColumns(_ mask: UnsafeBufferPointer<UInt8>) {
        let (height, width) = (height, width)
        rows.withUnsafeMutableBufferPointer { rows in
            for place in 0..<width { rows[place] = mask[place] != 0 ? 0 : -1 }
            for row in 1..<max(height, 1) {
                for place in row * width..<(row + 1) * width {
                    rows[place] = mask[place] != 0 ? Int32(row) : rows[place - width]
                }
            }
            for row in stride(from: height - 2, through: 0, by: -1) {
                for place in row * width..<(row + 1) * width {
                    let (above, below) = (Int(rows[place]), Int(rows[place + width]))
                    if below > row, above < 0 || below - row < row - above { rows[place] = Int32(below) }
                }
            }
        }
    }

    /// The lower envelope of the columns' distances along a row: each column is nearest to the pixels of one interval, or
    /// to none.
    private mutating func findInRow(_ row: Int) {
        let width = width
        let start = row * width
        rows.withUnsafeBufferPointer { rows in
            columns.withUnsafeMutableBufferPointer { columns in
                starts.withUnsafeMutableBufferPointer { starts in
                    nearest.withUnsafeMutableBufferPointer { nearest in
                        func squaredDistance(_ column: Int, _ pixel: Int) -> Int {
                            let (across, down) = (pixel - column, Int(rows[start + column]) - row)
                            return across * across + down * down
                        }
                        var last = -1
                        for column in 0..<width where rows[start + column] >= 0 {
                            while last >= 0,
                                squaredDistance(Int(columns[last]), Int(starts[last]))
                                    > squaredDistance(column, Int(starts[last]))
                            { last -= 1 }
                            guard last >= 0 else {
                                last = 0
                                (columns[0], starts[0]) = (Int32(column), 0)
                                continue
                            }
                            // Up to the border the left column is nearer, or as near.
                            let other = Int(columns[last])
                            let difference = squaredDistance(column, 0) - squaredDistance(other, 0)
                            let border = Self.quotient(difference, 2 * (column - other)) + 1
                            guard border < width else { continue }
                            last += 1
                            (columns[last], starts[last]) = (Int32(column), Int32(border))
                        }
                        for pixel in stride(from: width - 1, through: 0, by: -1) {
                            let column = Int(columns[last])
                            nearest[start + pixel] = rows[start + column] * Int32(width) + Int32(column)
                            if pixel == Int(starts[last]) { last -= 1 }
                        }
                    }
                }
            }
        }
    }

    /// Rounded down, also below zero.
    private static func quotient(_ dividend: Int, _ divisor: Int) -> Int {
        let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
