internal import Glibc

/// A box that is turned clockwise.
enum TurnedBox {
    /// x and y of the corners in turn, from the upper left.
    ///
    /// - Parameters:
    ///   - rotation: in degrees.
    ///   - pivot: the place that stays.
    static func corners(
        left: Double, top: Double, right: Double, bottom: Double, rotation: Double,
        around pivot: SIMD2<Double>
    ) -> [Double] {
        let angle = rotation / 180 * .pi
        let (cosine, sine) = (cos(angle), sin(angle))
        let corners = [
            SIMD2(left, top), SIMD2(right, top), SIMD2(right, bottom), SIMD2(left, bottom),
        ]
        var numbers: [Double] = []
        for corner in corners {
            let reach = corner - pivot
            numbers.append(pivot.x + cosine * reach.x - sine * reach.y)
            numbers.append(pivot.y + sine * reach.x + cosine * reach.y)
        }
        return numbers
    }
}
