/// How the rows of a target, or its columns, lie over those of a source, in exact fractions.
package struct ResizingAxis: Hashable {
    /// The number of source positions.
    package let extent: Int
    /// The first target position that the image covers.
    let first: Int
    /// The number of target positions that the image covers.
    package let count: Int
    /// Target position `i` has its centre at `(2 * offset + (2 * i + 1) * step) / (2 * divisor)` of the source.
    private let doubledOffset: Int
    private let step: Int
    private let divisor: Int

    /// The whole source, over the whole target.
    package init(extent: Int, to target: Int) {
        self.init(extent: extent, to: target, filling: target)
    }

    /// The whole source, over a centred part of the target.
    init(extent: Int, to target: Int, filling count: Int) {
        self.extent = extent
        self.count = min(count, target)
        first = Int((Double(target - self.count) / 2).rounded(.toNearestOrEven))
        doubledOffset = 0
        step = extent
        divisor = self.count
    }

    /// The centred part of the source that takes steps of `stepExtent / stepCount`, over the whole target.
    init(extent: Int, to target: Int, stepOf stepExtent: Int, count stepCount: Int) {
        self.extent = extent
        count = target
        first = 0
        doubledOffset = extent * stepCount - stepExtent * target
        step = stepExtent
        divisor = stepCount
    }

    /// Some positions of the whole source resized to `resized` positions, from `start` on.
    package init(extent: Int, resizedTo resized: Int, from start: Int, count: Int) {
        self.extent = extent
        self.count = count
        first = 0
        doubledOffset = 2 * start * extent
        step = extent
        divisor = resized
    }

    /// How far a triangle filter reaches from the centre of a target position, in source positions: as far as the target's
    /// positions lie apart, for one narrower than the source's would pass over some of them.
    package var radius: Double { max(Double(step) / Double(divisor), 1) }

    /// The centre of a target position, in source positions from the source's edge.
    package func center(_ position: Int) -> Double {
        Double(doubledOffset + (2 * position + 1) * step) / Double(2 * divisor)
    }

    /// The source positions that such a filter takes for a target position.
    package func window(_ position: Int) -> Range<Int> {
        let center = center(position)
        return max(0, Int(center - radius + 0.5))..<min(extent, Int(center + radius + 0.5))
    }

    /// The source position that holds the centre of a target position.
    package func nearest(_ position: Int) -> Int {
        min((doubledOffset + (2 * position + 1) * step) / (2 * divisor), extent - 1)
    }
}
