import RRTensor

/// Where the windows of a convolution or a pooling lie along one axis of the input.
struct WindowAxis: Hashable, Sendable {
    /// The input's extent.
    let input: Int
    let kernel: Int
    let stride: Int
    /// What is added before the input.
    let padding: Int
    /// What is added after it.
    let paddingAfter: Int
    let dilation: Int
    /// The number of windows.
    let output: Int

    /// Returns nil where no window fits into the padded input, or where the extents overflow.
    ///
    /// - Parameter ceilMode: whether a last window may reach beyond the padding, as long as it starts inside the
    ///   input or the padding before it.
    init?(
        input: Int, kernel: Int, stride: Int, padding: (before: Int, after: Int), dilation: Int,
        ceilMode: Bool = false
    ) {
        let (reach, overflow) = dilation.multipliedReportingOverflow(by: kernel - 1)
        let extents = [input, padding.before, padding.after, reach, stride]
        guard !overflow, extents.allSatisfy({ $0 <= 1 << 40 }) else { return nil }
        let free = input + padding.before + padding.after - reach - 1 + (ceilMode ? stride - 1 : 0)
        guard free >= 0 else { return nil }
        let last = free / stride
        output = ceilMode && last * stride >= input + padding.before ? last : last + 1
        self.input = input
        self.kernel = kernel
        self.stride = stride
        self.padding = padding.before
        paddingAfter = padding.after
        self.dilation = dilation
    }

    /// The place in the input that a tap of the kernel meets at a window; it may lie in the padding.
    @inline(__always)
    func place(window: Int, tap: Int) -> Int { window &* stride &- padding &+ tap &* dilation }

    /// The windows at which a tap of the kernel meets the input and not its padding.
    func validWindows(tap: Int) -> Range<Int> {
        let offset = tap * dilation - padding
        let first = offset >= 0 ? 0 : (-offset + stride - 1) / stride
        let last = input - 1 - offset
        let end = last < 0 ? 0 : min(output, last / stride + 1)
        return first < end ? first..<end : 0..<0
    }

    /// The taps of a window that meet the input.
    @inline(__always)
    func taps(window: Int) -> Range<Int> {
        let start = window &* stride &- padding
        let first = start >= 0 ? 0 : (dilation &- 1 &- start) / dilation
        let room = input &- 1 &- start
        let end = room < 0 ? 0 : min(kernel, room / dilation &+ 1)
        return first < end ? first..<end : 0..<0
    }

    /// Whether no window lies in the padding, or between the elements of the input, alone.
    var allWindowsMeetInput: Bool { (0..<output).allSatisfy { !taps(window: $0).isEmpty } }
}

/// Where the windows of a convolution or a pooling lie over its input.
struct WindowGeometry: Hashable, Sendable {
    let input: ImageShape
    let rows: WindowAxis
    let columns: WindowAxis

    /// Returns nil where no window fits into the padded input, or where the extents overflow.
    ///
    /// - Parameter ceilMode: whether a last window may reach beyond the padding, as long as it starts inside the
    ///   input or the padding before it.
    init?(
        input: ImageShape, kernel: Extents, stride: Extents, padding: Padding, dilation: Extents,
        ceilMode: Bool = false
    ) {
        guard
            let rows = WindowAxis(
                input: input.height, kernel: kernel.height, stride: stride.height,
                padding: (padding.top, padding.bottom), dilation: dilation.height, ceilMode: ceilMode),
            let columns = WindowAxis(
                input: input.width, kernel: kernel.width, stride: stride.width,
                padding: (padding.left, padding.right), dilation: dilation.width, ceilMode: ceilMode)
        else { return nil }
        self.input = input
        self.rows = rows
        self.columns = columns
    }

    var outputHeight: Int { rows.output }
    var outputWidth: Int { columns.output }
    var outputPixelCount: Int { rows.output * columns.output }
}

extension WindowGeometry {
    /// Lays the windows of a pooling.
    ///
    /// - Throws: `LayerMisfit` where they do not fit the input.
    init(
        pooling input: ImageShape, kernel: Extents, stride: Extents, padding: Padding,
        dilation: Extents = 1, ceilMode: Bool
    ) throws(LayerMisfit) {
        guard max(padding.top, padding.bottom) <= kernel.height / 2,
            max(padding.left, padding.right) <= kernel.width / 2
        else {
            throw LayerMisfit("a padding of \(padding) exceeds half of the kernel's \(kernel)")
        }
        guard
            let geometry = WindowGeometry(
                input: input, kernel: kernel, stride: stride, padding: padding, dilation: dilation,
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
        case even(WindowAxis, countsPadding: Bool)
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
        case .even(let axis, let countsPadding):
            let start = axis.place(window: output, tap: 0)
            let end = min(start &+ axis.kernel, input &+ axis.paddingAfter)
            let elements = max(start, 0)..<min(end, input)
            return (elements, countsPadding ? end &- start : elements.count)
        case .adaptive(let outputExtent):
            let start = output &* input / outputExtent
            let end = ((output &+ 1) &* input &- 1) / outputExtent &+ 1
            return (start..<end, end &- start)
        }
    }
}
