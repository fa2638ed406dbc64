/// The order of a decoded image's samples.
package enum PNGArrangement: Sendable {
    /// The samples of a pixel side by side, `(H, W, C)`.
    case interleaved
    /// A plane for each channel, `(C, H, W)`.
    case planar
}
