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
    /// - Throws: `LayerMisfit` where they do not fit the input.
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

    /// - Throws: `LayerMisfit` where the output has too many elements.
    func outputShape(channels: Int) throws(LayerMisfit) -> ImageShape {
        do {
            return try ImageShape(channels: channels, height: outputHeight, width: outputWidth)
        } catch {
            throw LayerMisfit("\(error)")
        }
    }
}

/// Where the windows of an average pooling lie along one axis of the input, and what they divide by.
struct PoolingAxis: Hashable, Sendable {
    /// The input's extent along the axis.
    let input: Int
    let placement: Placement

    enum Placement: Hashable, Sendable {
        /// Windows of one extent at even distances over an input with zeros around it.
        case even(kernel: Int, stride: Int, padding: Int, countsPadding: Bool)
        /// As many windows as the output has elements; together they cover the input, as evenly as they can.
        case adaptive(output: Int)
    }

    /// The elements of the input under a window, and the extent that the window's sum is divided by.
    ///
    /// A window may reach beyond the padding, in ceil mode: what it finds there does not count, whereas the padding
    /// itself counts where it is asked to.
    @inline(__always)
    func window(_ output: Int) -> (elements: Range<Int>, divisor: Int) {
        switch placement {
        case .even(let kernel, let stride, let padding, let countsPadding):
            let start = output &* stride &- padding
            let end = min(start &+ kernel, input &+ padding)
            let elements = max(start, 0)..<min(end, input)
            return (elements, countsPadding ? end &- start : elements.count)
        case .adaptive(let outputExtent):
            let start = output &* input / outputExtent
            let end = ((output &+ 1) &* input &- 1) / outputExtent &+ 1
            return (start..<end, end &- start)
        }
    }
}
