import RRTensor

/// Where the square windows of a convolution or a pooling lie over its input.
struct WindowGeometry: Hashable, Sendable {
    let input: ImageShape
    let kernel: Int
    let stride: Int
    let padding: Int
    let dilation: Int
    let outputHeight: Int
    let outputWidth: Int

    /// Returns nil where no window fits into the padded input, or where the extents overflow.
    ///
    /// - Parameter ceilMode: whether a last window may reach beyond the padding, as long as it starts inside the
    ///   input or the padding before it.
    init?(
        input: ImageShape, kernel: Int, stride: Int, padding: Int, dilation: Int, ceilMode: Bool = false
    ) {
        func positions(_ extent: Int) -> Int? {
            let (reach, overflow) = dilation.multipliedReportingOverflow(by: kernel - 1)
            guard !overflow, [extent, padding, reach, stride].allSatisfy({ $0 <= 1 << 40 }) else {
                return nil
            }
            let free = extent + 2 * padding - reach - 1 + (ceilMode ? stride - 1 : 0)
            guard free >= 0 else { return nil }
            let last = free / stride
            return ceilMode && last * stride >= extent + padding ? last : last + 1
        }
        guard let height = positions(input.height), let width = positions(input.width) else { return nil }
        self.input = input
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        outputHeight = height
        outputWidth = width
    }

    var outputPixelCount: Int { outputHeight * outputWidth }

    /// The row of the input that a row of the kernel meets at a row of the output; it may lie in the padding.
    @inline(__always)
    func inputRow(output: Int, kernel: Int) -> Int { output &* stride &- padding &+ kernel &* dilation }

    /// The columns of the output at which a column of the kernel meets the input and not its padding.
    func validOutputColumns(kernel: Int) -> Range<Int> {
        let offset = kernel * dilation - padding
        let first = offset >= 0 ? 0 : (-offset + stride - 1) / stride
        let last = input.width - 1 - offset
        let end = last < 0 ? 0 : min(outputWidth, last / stride + 1)
        return first < end ? first..<end : 0..<0
    }
}

extension WindowGeometry {
    /// Lays the windows of a pooling.
    ///
    /// - Throws: a message in the caller's words where they do not fit the input.
    init(pooling input: ImageShape, kernel: Int, stride: Int, padding: Int, ceilMode: Bool)
        throws(LayerMisfit)
    {
        guard padding <= kernel / 2 else {
            throw LayerMisfit("a padding of \(padding) exceeds half of the kernel's \(kernel)")
        }
        guard
            let geometry = WindowGeometry(
                input: input, kernel: kernel, stride: stride, padding: padding, dilation: 1,
                ceilMode: ceilMode)
        else {
            throw LayerMisfit(
                "a kernel of \(kernel) with padding \(padding) does not fit into an input of \(input)")
        }
        self = geometry
    }

    /// - Throws: a message in the caller's words where the output has too many elements.
    func outputShape(channels: Int) throws(LayerMisfit) -> ImageShape {
        do {
            return try ImageShape(channels: channels, height: outputHeight, width: outputWidth)
        } catch {
            throw LayerMisfit("\(error)")
        }
    }
}
