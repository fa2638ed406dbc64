/// A binary mask as COCO stores it: the lengths of runs of zeros and ones in turn, column by column.
package struct COCORunLengths: Equatable, Sendable {
    /// Rows of pixels.
    package let height: Int
    /// Pixels in a row.
    package let width: Int
    /// The runs, the first of zeros; their sum is `height · width`.
    package let counts: [Int]

    /// Takes runs that are written as numbers, COCO's uncompressed form.
    ///
    /// - Throws: `COCODefect` for a negative run, or runs that do not add up to the number of pixels.
    package init(counts: [Int], height: Int, width: Int) throws(COCODefect) {
        let pixelCount = try Self.pixelCount(height: height, width: width)
        var sum = 0
        for (position, count) in counts.enumerated() {
            guard count >= 0 else { throw COCODefect("run \(position) has the length \(count)") }
            let (next, overflow) = sum.addingReportingOverflow(count)
            guard !overflow, next <= pixelCount else {
                throw COCODefect(
                    "the runs have more than the \(pixelCount) pixels of H×W = \(height)×\(width), "
                        + "from run \(position) on")
            }
            sum = next
        }
        guard sum == pixelCount else {
            throw COCODefect(
                "the runs add up to \(sum) pixels, but H×W = \(height)×\(width) has \(pixelCount)")
        }
        self.height = height
        self.width = width
        self.counts = counts
    }

    /// Unpacks COCO's compressed text.
    ///
    /// Each run is a signed number in groups of five bits, the lowest first, a group a character from `0` on; a
    /// character's sixth bit says that more follow. From the fourth on, a run is stored as its difference from the
    /// run before the last one (pycocotools, `common/maskApi.c`).
    ///
    /// - Throws: `COCODefect` for other characters, text that is cut short, and as `init(counts:height:width:)`.
    package init(compressed text: String, height: Int, width: Int) throws(COCODefect) {
        var counts: [Int] = []
        counts.reserveCapacity(text.utf8.count)
        var value = 0
        var shift = 0
        for byte in text.utf8 {
            guard 48..<112 ~= byte else {
                throw COCODefect("the run-length text has the byte \(byte), which is none of its characters")
            }
            guard shift < 60 else {
                throw COCODefect("run \(counts.count) of the run-length text has more than 60 bits")
            }
            let group = Int(byte) - 48
            value |= (group & 0x1F) << shift
            shift += 5
            guard group & 0x20 == 0 else { continue }
            if group & 0x10 != 0 { value |= -1 << shift }
            // Neither is above 2⁶⁰: the sum of a sound text so far is not, and an unsound one ends here.
            if counts.count > 2 { value += counts[counts.count - 2] }
            guard value >= 0, value <= 1 << 60 else {
                throw COCODefect("run \(counts.count) of the run-length text has the length \(value)")
            }
            counts.append(value)
            (value, shift) = (0, 0)
        }
        guard shift == 0 else { throw COCODefect("the run-length text is cut short") }
        try self.init(counts: counts, height: height, width: width)
    }

    /// Makes runs of the places where zeros and ones change, in any order, each from 0 to `height · width`.
    ///
    /// Of places that are given several times, each pair has no effect.
    init(changes: [Int], height: Int, width: Int) {
        var counts: [Int] = []
        var end = 0
        for place in Self.removingPairs(from: changes) {
            counts.append(place - end)
            end = place
        }
        counts.append(height * width - end)
        self.height = height
        self.width = width
        self.counts = counts
    }

    /// The places that are given an odd number of times, sorted.
    static func removingPairs(from changes: consuming [Int]) -> [Int] {
        changes.sort()
        var count = 0
        var position = 0
        while position < changes.count {
            let place = changes[position]
            var next = position + 1
            while next < changes.count, changes[next] == place { next += 1 }
            if (next - position) % 2 == 1 {
                changes[count] = place
                count += 1
            }
            position = next
        }
        changes.removeLast(changes.count - count)
        return changes
    }

    /// The number of ones.
    package var area: Int {
        var area = 0
        for position in stride(from: 1, to: counts.count, by: 2) { area += counts[position] }
        return area
    }

    /// Sets the ones in a plane that is stored column by column, `(W, H)`, and leaves what is set.
    package func formUnion(into columns: UnsafeMutableBufferPointer<UInt8>) {
        precondition(columns.count == height * width)
        var start = 0
        for (position, count) in counts.enumerated() {
            if position % 2 == 1, count > 0 {
                UnsafeMutableBufferPointer(rebasing: columns[start..<start + count]).update(repeating: 1)
            }
            start += count
        }
    }

    /// The number of pixels, checked.
    static func pixelCount(height: Int, width: Int) throws(COCODefect) -> Int {
        let (count, overflow) = height.multipliedReportingOverflow(by: width)
        guard height > 0, width > 0, !overflow else {
            throw COCODefect("there is no mask of H×W = \(height)×\(width)")
        }
        return count
    }
}

/// What is wrong with a segmentation; whoever knows the annotation says which it is.
package struct COCODefect: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
