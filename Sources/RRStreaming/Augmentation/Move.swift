internal import RRTensor

/// A change of place that was drawn: the same for every plane of an image and of its mask.
enum Move: Equatable {
    case stay
    case flipHorizontally
    case flipVertically
    /// By so many pixels down and right; zeros come in.
    case shift(down: Int, right: Int)
    /// By a quarter, counterclockwise as `numpy.rot90`, so many times.
    case turn(quarters: Int)
    /// Sets rows and columns to zero.
    case blank(rows: Range<Int>, columns: Range<Int>)

    /// Draws the move of a change; nil for a change that is none of place.
    init?(_ change: Augmentation.Change, shape: ImageShape, _ generator: inout SplitMix64) {
        func draw(below count: Int) -> Int { generator.next(below: count) }
        switch change {
        case .horizontalFlip: self = draw(below: 2) == 1 ? .flipHorizontally : .stay
        case .verticalFlip: self = draw(below: 2) == 1 ? .flipVertically : .stay
        case .crop(let padding):
            let down = draw(below: 2 * padding + 1) - padding
            self = .shift(down: down, right: draw(below: 2 * padding + 1) - padding)
        case .quarterTurn: self = .turn(quarters: draw(below: 4))
        case .cutout(let size):
            let top = draw(below: shape.height) - size / 2
            let left = draw(below: shape.width) - size / 2
            self = .blank(
                rows: max(0, top)..<min(shape.height, top + size),
                columns: max(0, left)..<min(shape.width, left + size))
        case .brightness, .contrast, .erase, .resizedCrop, .rotation, .hue, .blur: return nil
        }
    }

    /// Moves the pixels of one plane `(H, W)` in place.
    @specialized(where Element == Float)
    @specialized(where Element == UInt8)
    func apply<Element: Numeric>(to plane: UnsafeMutableBufferPointer<Element>, _ shape: ImageShape) {
        let (height, width) = (shape.height, shape.width)
        switch self {
        case .stay: break
        case .flipHorizontally:
            for row in 0..<height {
                for column in 0..<width / 2 {
                    plane.swapAt(row * width + column, row * width + width - 1 - column)
                }
            }
        case .flipVertically:
            for row in 0..<height / 2 {
                for column in 0..<width {
                    plane.swapAt(row * width + column, (height - 1 - row) * width + column)
                }
            }
        case .shift(let down, let right):
            // From the side that the pixels move to, so that none is overwritten before it has moved.
            for step in 0..<height {
                let row = down > 0 ? height - 1 - step : step
                let source = row - down
                for columnStep in 0..<width {
                    let column = right > 0 ? width - 1 - columnStep : columnStep
                    let isInside = 0..<height ~= source && 0..<width ~= column - right
                    plane[row * width + column] = isInside ? plane[source * width + column - right] : 0
                }
            }
        case .turn(let quarters):
            for _ in 0..<quarters { turnByAQuarter(plane, side: width) }
        case .blank(let rows, let columns):
            for row in rows {
                for column in columns { plane[row * width + column] = 0 }
            }
        }
    }

    /// new(row, column) = old(column, side − 1 − row): four pixels at a time change places.
    @specialized(where Element == Float)
    @specialized(where Element == UInt8)
    private func turnByAQuarter<Element: Numeric>(_ plane: UnsafeMutableBufferPointer<Element>, side: Int) {
        for row in 0..<side / 2 {
            for column in 0..<(side + 1) / 2 {
                let top = row * side + column
                let right = column * side + side - 1 - row
                let bottom = (side - 1 - row) * side + side - 1 - column
                let left = (side - 1 - column) * side + row
                (plane[top], plane[right], plane[bottom], plane[left]) =
                    (plane[right], plane[bottom], plane[left], plane[top])
            }
        }
    }
}
